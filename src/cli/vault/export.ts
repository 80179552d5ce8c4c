import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import type { Exported } from '#vault/export';
import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { recordVaultRead } from '../say.ts';
import { assertPublished, explainedFor } from './presence.ts';
import { renderVerify } from './verify-report.ts';

export const vaultExport: Command = {
  name: 'vault export',
  summary:
    'copy the vault into a directory, or bring a copy up to date; checks the copy, and never takes a private key',
  arguments: '<directory>',
  examples: ['holdfast vault export ~/vault-copy', 'holdfast vault export ~/vault-copy --json'],
  async run(context, [directory = '']) {
    const { io, state, json } = context;
    assertPublished(state);
    const [{ exportVault }, { VaultError }] = await Promise.all([
      import('#vault/export'),
      import('#vault/read'),
    ]);
    const target = resolve(directory);
    await recordVaultRead(context, 'vault export', { target });
    try {
      const vkey = readFileSync(state.vkeyFile, 'utf8').trim();
      const exported = await exportVault({ vault: state.vault, vkey, target, keepOut: [state.root] });
      const { report } = exported;
      if (json) io.out(jsonLine({ ...exported, target }));
      else {
        const { files, bytes, from, size, removed, mended } = exported;
        io.out(
          `${printable(target)}: ${from === 0 ? `entries 0 to ${size - 1}` : from === size ? 'nothing new' : `entries ${from} to ${size - 1} added`}, ` +
            `${files} files with ${bytes} bytes written\n`,
        );
        if (removed > 0)
          io.out(`${removed} files that expired or were redacted since were removed from the copy\n`);
        for (const file of mended)
          io.out(`mended in the copy: ${printable(file)} was not what is in the vault\n`);
        io.out(renderVerify(io, report));
        if (!report.ok) io.out(blame(exported, state.root));
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
      if (error instanceof VaultError && error.code === 'refused')
        throw new CliError('usage', messageOf(error), { cause: error });
      throw new CliError(
        'could-not-look',
        `could not export to ${target}: ${error instanceof VaultError ? explainedFor(error) : messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
  },
};

/** Whether what is wrong with the copy is the vault's fault, or that of where the copy lies. */
const blame = ({ alike, report }: Exported, root: string): string => {
  const files = new Set(report.problems.map(({ file }) => file)).size;
  if (alike.length === 0)
    return 'The vault has no part in it: the copy alone is wrong. Make another one, in another directory\n';
  const which =
    alike.length === files
      ? 'It is the same in the vault itself'
      : `In the vault itself too: ${alike.map(printable).join(', ')}`;
  return `${which}. See: holdfast vault verify --state ${printable(root)}\n`;
};
