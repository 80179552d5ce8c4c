import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { printable } from '#base/printable';
import type { Restored, StateReport } from '#vault/fsck';
import { text, type Command, type Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { assertVault, explainedFor } from './presence.ts';
import { renderVerify } from './verify-report.ts';

export const vaultFsck: Command = {
  name: 'vault fsck',
  summary: 'whether the keeper could go on from this state; with --from, put back what is missing or changed',
  flags: [
    {
      flags: '--from <copy>',
      description: 'restore from this exported copy what verification names; Holdfast must not be running',
    },
  ],
  examples: [
    'holdfast vault fsck',
    'holdfast vault fsck --json',
    'holdfast vault fsck --from /srv/vault-copy',
  ],
  async run(context, _args, flags) {
    const { io, state } = context;
    assertVault(state);
    const copy = text(flags, 'from');
    if (copy !== undefined) return restore(context, resolve(copy));
    const [{ inspectState }, { stateFlag }] = await Promise.all([
      import('#vault/fsck'),
      import('./keeper.ts'),
    ]);
    const report = inspectState(state);
    if (context.json) io.out(jsonLine(report));
    else {
      const colours = { good: 'green', note: 'bold', bad: 'red', unseen: 'yellow' } as const;
      for (const { grade, what, finding, remedy } of report.conditions) {
        io.out(`${io.paint(colours[grade], grade.padEnd(6))} ${what}: ${printable(finding)}\n`);
        if (remedy !== null) io.out(`       → ${printable(remedy)}\n`);
      }
      io.out(conclusions[report.verdict](stateFlag(context)));
    }
    return statuses[report.verdict];
  },
};

const statuses: Readonly<Record<StateReport['verdict'], Exit>> = {
  fit: Exit.done,
  copy: Exit.done,
  unfit: Exit.bad,
  unknown: Exit.couldNotLook,
};

const conclusions: Readonly<Record<StateReport['verdict'], (stateFlag: string) => string>> = {
  fit: (flag) =>
    `A keeper can go on from here. What the lines say was not looked at: holdfast vault verify${flag}\n`,
  copy: (flag) =>
    `This is a copy: no keeper goes on from here. It can be verified: holdfast vault verify${flag}\n`,
  unfit: () => 'A keeper would refuse, or something is missing.\n',
  unknown: () => 'Nothing bad was seen, and not all could be looked at: nobody can tell from this.\n',
};

const restore = async (context: Context, copy: string): Promise<Exit> => {
  const { io, state, json } = context;
  const { restoreFrom } = await import('#vault/fsck');
  let restored: Restored;
  try {
    const vkey = readFileSync(state.vkeyFile, 'utf8').trim();
    restored = await restoreFrom({ vault: state.vault, keys: state.keys, vkey, copy });
  } catch (error) {
    throw new CliError('could-not-look', `could not restore from ${copy}: ${explainedFor(error)}`, {
      cause: error,
    });
  }
  const { files, removed, report, wasDamaged } = restored;
  if (json) io.out(jsonLine({ restored: files, removed, report }));
  else {
    for (const file of files) io.out(`restored ${printable(file)}\n`);
    for (const file of removed)
      io.out(`removed ${printable(file)}: its lines had expired or were redacted\n`);
    if (files.length + removed.length === 0)
      io.out(
        wasDamaged
          ? 'The copy has nothing of what is missing here.\n'
          : 'Nothing to restore: this vault is intact, and has all that its signer remembers. Nothing was touched.\n',
      );
    io.out(renderVerify(io, report));
  }
  return report.ok ? Exit.done : Exit.bad;
};
