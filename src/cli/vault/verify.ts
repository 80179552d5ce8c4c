import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '#base/printable';
import { text, type Command, type Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';

export const vaultVerify: Command = {
  name: 'vault verify',
  summary: 're-check everything, from the stored bytes to the signature; a live vault too',
  flags: [
    {
      flags: '--key <vkey>',
      description:
        'the public key to trust, or a file that holds it (default: keys/vault.vkey of the state directory)',
    },
  ],
  examples: [
    'holdfast vault verify',
    'holdfast vault verify --json',
    'holdfast vault verify --state /srv/copy-of-a-vault --key ./vault.vkey',
  ],
  async run(context, _args, flags) {
    const { io, state } = context;
    if (!existsSync(state.vault))
      throw new CliError(
        'could-not-look',
        `there is no vault in ${state.root}: name the state directory with --state`,
      );
    const { verifyVault } = await import('#vault/verify');
    const lock = join(state.keys, 'lock');
    const report = await verifyVault({
      vault: state.vault,
      vkey: readKey(context, text(flags, 'key')),
      ...(existsSync(lock) ? { lock } : {}),
    });
    if (context.json) io.out(`${JSON.stringify(report)}\n`);
    else if (report.ok) {
      io.out(
        `${io.paint('green', 'unaltered')}: ${report.lines} lines in ${report.entries} entries, from the stored bytes to the signature of ${printable(report.origin ?? '?')}\n`,
      );
      io.out(`checkpoint: size ${report.size}, root ${report.root}\nfreshness: ${report.freshness}\n`);
    } else {
      io.out(
        `${io.paint('red', 'NOT INTACT')}: ${report.problems.length} ${report.problems.length === 1 ? 'problem' : 'problems'}\n`,
      );
      for (const problem of report.problems) {
        io.out(
          `  ${io.paint('bold', printable(problem.file))}: ${printable(problem.what)}${problem.lines === undefined ? '' : `  [lines ${problem.lines}]`}\n`,
        );
      }
    }
    return report.ok ? Exit.done : Exit.bad;
  },
};

/** The key given on the command line, as text or as a file's name; else the state directory's own. */
const readKey = ({ state }: Context, given: string | undefined): string => {
  const file = given === undefined ? state.vkeyFile : existsSync(given) ? given : null;
  if (file === null) return given ?? '';
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CliError('could-not-look', `could not read the public key ${file}: give it with --key`, {
      cause: error,
    });
  }
};
