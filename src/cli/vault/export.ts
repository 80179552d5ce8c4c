import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { renderVerify } from './verify-report.ts';

export const vaultExport: Command = {
  name: 'vault export',
  summary:
    'copy the vault into a directory, or bring a copy up to date; checks the copy, and never takes a private key',
  arguments: '<directory>',
  examples: ['holdfast vault export ~/vault-copy', 'holdfast vault export ~/vault-copy --json'],
  async run({ io, state, json }, [directory = '']) {
    if (!existsSync(join(state.vault, 'checkpoint')))
      throw new CliError(
        'could-not-look',
        `there is no vault in ${state.root}: name the state directory with --state`,
      );
    const [{ exportVault }, { VaultError }, { verifyVault }] = await Promise.all([
      import('#vault/export'),
      import('#vault/read'),
      import('#vault/verify'),
    ]);
    const target = resolve(directory);
    try {
      const vkey = readFileSync(state.vkeyFile, 'utf8').trim();
      const exported = await exportVault({ vault: state.vault, vkey, target });
      const report = await verifyVault({ vault: join(target, 'vault'), vkey });
      if (json) io.out(jsonLine({ ...exported, target, report }));
      else {
        const { files, bytes, from, size, removed } = exported;
        io.out(
          `${printable(target)}: ${from === 0 ? `entries 0 to ${size - 1}` : from === size ? 'nothing new' : `entries ${from} to ${size - 1} added`}, ` +
            `${files} files with ${bytes} bytes written\n`,
        );
        if (removed > 0)
          io.out(`${removed} files that expired or were redacted since were removed from the copy\n`);
        io.out(renderVerify(io, report));
        io.out(io.paint('dim', `Check it anywhere: holdfast vault verify --state ${printable(target)}\n`));
      }
      return report.ok ? Exit.done : Exit.bad;
    } catch (error) {
      if (error instanceof CliError) throw error;
      const isContradiction = error instanceof VaultError && ['fork', 'rolled-back'].includes(error.code);
      if (isContradiction) {
        io.err(`${messageOf(error)}\n`);
        return Exit.bad;
      }
      throw new CliError('could-not-look', `could not export to ${target}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  },
};
