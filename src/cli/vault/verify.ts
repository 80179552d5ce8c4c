import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '#base/printable';
import type { VerifyReport } from '#vault/verify';
import { text, type Command, type Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import type { Io } from '../io.ts';
import { jsonLine } from '../json-line.ts';

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
    if (context.json) io.out(jsonLine(report));
    else io.out(renderVerify(io, report));
    return report.ok ? Exit.done : Exit.bad;
  },
};

/** The report for a terminal. Good news is green only where nothing about it is unknown. */
export const renderVerify = (io: Io, report: VerifyReport): string => {
  const current = report.freshness.startsWith('current');
  const freshness = `freshness: ${printable(report.freshness)}`;
  if (report.ok) {
    const proven = `${report.lines} lines in ${report.entries} entries, from the stored bytes to the signature of ${printable(report.origin ?? '?')}`;
    return [
      `${io.paint(current ? 'green' : 'bold', 'unaltered')} up to the checkpoint: ${proven}\n`,
      `checkpoint: size ${report.size}, root ${report.root}\n`,
      `${current ? freshness : io.paint('yellow', freshness)}\n`,
    ].join('');
  }
  const count = report.problems.length + report.more;
  return [
    `${io.paint('red', 'NOT INTACT')}: ${count} ${count === 1 ? 'problem' : 'problems'}\n`,
    ...report.problems.map(
      ({ file, what, lines }) =>
        `  ${io.paint('bold', printable(file))}: ${printable(what)}${lines === undefined ? '' : `  [lines ${lines}]`}\n`,
    ),
    report.more === 0 ? '' : `  … and ${report.more} more that are not listed\n`,
    `${freshness}\n`,
  ].join('');
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
