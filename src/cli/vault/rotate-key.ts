import { readFileSync } from 'node:fs';
import { printable } from '#base/printable';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';

export const vaultRotateKey: Command = {
  name: 'vault rotate-key',
  summary: 'replace the signing key; the chain from the old key to the new one stands in the log',
  flags: [
    { flags: '--reason <text>', description: 'why; stands in the log for ever' },
    { flags: '--by <name>', description: 'who ordered it; stands in the log for ever' },
  ],
  examples: ["holdfast vault rotate-key --reason yearly --by 'Ada Lovelace' --state /srv/holdfast"],
  async run(context, _args, flags) {
    const { io, state } = context;
    const keeper = await import('./keeper.ts');
    const reason = keeper.standing(flags, 'reason');
    const by = keeper.standing(flags, 'by');
    keeper.readVault(context);
    const before = await keeper.explained(() => readFileSync(state.vkeyFile, 'utf8').trim());
    const { entry, notes } = await keeper.askKeeper(context, { kind: 'rotate-key', reason, by });
    const now = readFileSync(state.vkeyFile, 'utf8').trim();
    if (context.json) io.out(jsonLine({ entry, before, now, notes }));
    else
      io.out(
        `the key was replaced, by entry ${entry}\n` +
          `  before ${printable(before)}\n` +
          `  now    ${printable(now)}\n` +
          'Give the new key to whoever checks proofs, and to every witness (--log, beside the old one). ' +
          'Who has the old key alone can follow: holdfast vault verify --key OLD' +
          `${keeper.stateFlag(context)}\n`,
      );
    return Exit.done;
  },
};
