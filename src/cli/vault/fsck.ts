import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import type { StateDirectory } from '#base/state';
import { text, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import type { Io } from '../io.ts';
import { jsonLine } from '../json-line.ts';
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
  async run({ io, state, json }, _args, flags) {
    if (!existsSync(state.vault))
      throw new CliError(
        'could-not-look',
        `there is no vault in ${state.root}: name the state directory with --state`,
      );
    const copy = text(flags, 'from');
    if (copy !== undefined) return restore({ io, state, json }, resolve(copy));
    const { inspectState } = await import('#vault/fsck');
    const report = inspectState(state);
    if (json) io.out(jsonLine(report));
    else {
      const colours = { good: 'green', note: 'bold', bad: 'red' } as const;
      for (const { grade, what, finding, remedy } of report.conditions) {
        io.out(`${io.paint(colours[grade], grade.padEnd(5))} ${what}: ${printable(finding)}\n`);
        if (remedy !== null) io.out(`      → ${printable(remedy)}\n`);
      }
      io.out(
        report.fit
          ? 'A keeper can go on from here. What the lines say was not looked at: holdfast vault verify\n'
          : 'A keeper would refuse, or something is missing.\n',
      );
    }
    return report.fit ? Exit.done : Exit.bad;
  },
};

const restore = async (
  { io, state, json }: { io: Io; state: StateDirectory; json: boolean },
  copy: string,
): Promise<Exit> => {
  const [{ restoreFrom }, { verifyVault }] = await Promise.all([
    import('#vault/fsck'),
    import('#vault/verify'),
  ]);
  try {
    const lock = join(state.keys, 'lock');
    const options = {
      vault: state.vault,
      vkey: readFileSync(state.vkeyFile, 'utf8').trim(),
      ...(existsSync(lock) ? { lock } : {}),
    };
    const named = async (): Promise<ReadonlySet<string>> =>
      new Set((await verifyVault(options)).problems.map(({ file }) => file));
    const { files } = await restoreFrom(state, named, copy);
    const report = await verifyVault(options);
    if (json) io.out(jsonLine({ restored: files, report }));
    else {
      for (const file of files) io.out(`restored ${printable(file)}\n`);
      if (files.length === 0) io.out('The copy has nothing that is missing here.\n');
      io.out(renderVerify(io, report));
    }
    return report.ok ? Exit.done : Exit.bad;
  } catch (error) {
    throw new CliError('could-not-look', `could not restore from ${copy}: ${messageOf(error)}`, {
      cause: error,
    });
  }
};
