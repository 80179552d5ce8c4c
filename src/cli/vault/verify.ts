import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock';
import { messageOf } from '#base/errors';
import { parseRfc3339 } from '#base/rfc3339';
import type { SeenNote, VerifyOptions } from '#vault/verify';
import { text, texts, type Command, type Context, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { newProgressBar } from './verify-progress.ts';
import { renderVerify } from './verify-report.ts';

export const vaultVerify: Command = {
  name: 'vault verify',
  summary: 're-check everything, from the stored bytes to the signature; a live vault too',
  flags: [
    {
      flags: '--key <vkey>',
      description:
        'the public key to trust, or a file that holds it (default: keys/vault.vkey of the state directory); an earlier key of the log does too',
    },
    {
      flags: '--seen <file>',
      description: 'a checkpoint that somebody remembers (a signed note): is it contained? repeat it',
      repeats: true,
    },
    {
      flags: '--witness <vkey>',
      description: 'the public key of a witness to believe, or a file that holds it; repeat it',
      repeats: true,
    },
    { flags: '--entries <range>', description: 'only outer entries A..B (B included)' },
    {
      flags: '--since <time>',
      description: 'only batches with lines received at this time (RFC 3339) or later',
    },
    { flags: '--until <time>', description: 'only batches with lines received before this time (RFC 3339)' },
  ],
  examples: [
    'holdfast vault verify',
    'holdfast vault verify --json',
    'holdfast vault verify --state /srv/copy-of-a-vault --key ./vault.vkey',
    'holdfast vault verify --seen /srv/mail/checkpoint-of-may',
    'holdfast vault verify --entries 100..199',
    'holdfast vault verify --since 2026-05-12T00:00:00Z --until 2026-05-13T00:00:00Z',
  ],
  async run(context, _args, flags) {
    const { io, state } = context;
    if (!existsSync(state.vault))
      throw new CliError(
        'could-not-look',
        `there is no vault in ${state.root}: name the state directory with --state`,
      );
    const lock = join(state.keys, 'lock');
    const options: VerifyOptions = {
      vault: state.vault,
      vkey: readKey(context, text(flags, 'key')),
      seen: (texts(flags, 'seen') ?? []).map(readSeen),
      witnesses: (texts(flags, 'witness') ?? []).map(readGiven),
      ...rangeOf(flags),
      ...(existsSync(lock) ? { lock } : {}),
    };
    const { verifyVault } = await import('#vault/verify');
    const clock = systemClock();
    const bar = newProgressBar({
      write: (line) => io.err(line),
      elapsed: () => clock.elapsed(),
      terminal: process.stderr.isTTY === true && !context.json,
      columns: process.stderr.columns || io.width,
    });
    const report = await verifyVault({ ...options, onProgress: (progress) => bar.update(progress) });
    bar.end();
    io.out(context.json ? jsonLine(report) : renderVerify(io, report));
    if (!report.ok) return report.integrity.verdict === 'unknown' ? Exit.couldNotLook : Exit.bad;
    // What somebody asked to be compared and could not be is not good news.
    return report.freshness.unusable.length > 0 ? Exit.couldNotLook : Exit.done;
  },
};

/** The key given on the command line, as text or as a file's name; else the state directory's own. */
const readKey = ({ state }: Context, given: string | undefined): string => {
  if (given !== undefined) return readGiven(given);
  try {
    return readFileSync(state.vkeyFile, 'utf8').trim();
  } catch (error) {
    throw new CliError(
      'could-not-look',
      `could not read the public key ${state.vkeyFile}: give it with --key`,
      { cause: error },
    );
  }
};

const readGiven = (given: string): string => {
  if (!existsSync(given)) return given;
  return readShort(given).toString('utf8').trim();
};

const readSeen = (file: string): SeenNote => ({ name: file, note: readShort(file) });

/** More than any note or key has: what is longer is cut, and then none. */
const maxShort = 8192;

const readShort = (path: string): Buffer => {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(maxShort);
      return bytes.subarray(0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new CliError('could-not-look', `could not read ${path}: ${messageOf(error)}`, { cause: error });
  }
};

const rangeOf = (flags: Flags): Pick<VerifyOptions, 'range'> => {
  const entries = text(flags, 'entries');
  const since = timeOf(flags, 'since');
  const until = timeOf(flags, 'until');
  if (entries === undefined) return since === null && until === null ? {} : { range: { since, until } };
  if (since !== null || until !== null)
    throw new CliError('usage', 'give --entries, or --since and --until, not both');
  const match = /^(\d{1,15})\.\.(\d{1,15})$/.exec(entries);
  const first = Number(match?.[1]);
  const end = Number(match?.[2]) + 1;
  if (match === null || end <= first)
    throw new CliError('usage', `--entries takes a range A..B of outer entries, not '${entries}'`);
  return { range: { first, end } };
};

const timeOf = (flags: Flags, name: string): number | null => {
  const given = text(flags, name);
  if (given === undefined) return null;
  const parsed = parseRfc3339(given);
  if (parsed === null)
    throw new CliError('usage', `--${name} takes a time like 2026-05-12T03:00:00Z, not '${given}'`);
  return parsed;
};
