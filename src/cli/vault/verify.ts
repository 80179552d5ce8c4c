import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, type Micros } from '#base/clock';
import { messageOf } from '#base/errors';
import type { SeenNote, VerifyOptions } from '#vault/verify';
import { text, texts, type Command, type Context, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { givenKey, readShort } from './given-key.ts';
import { assertMayRead, explainedFor } from './presence.ts';
import { newProgressBar } from './verify-progress.ts';
import { renderVerify } from './verify-report.ts';
import { entryRange, when } from './when.ts';

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
      description:
        'only batches with lines received at this time or later: a day, an RFC 3339 time, or how long ago (30d)',
    },
    { flags: '--until <time>', description: 'only batches with lines received before this one' },
  ],
  examples: [
    'holdfast vault verify',
    'holdfast vault verify --json',
    'holdfast vault verify --state /srv/copy-of-a-vault --key ./vault.vkey',
    'holdfast vault verify --seen /srv/mail/checkpoint-of-may',
    'holdfast vault verify --entries 100..199',
    'holdfast vault verify --since 2026-05-12',
    'holdfast vault verify --since 2026-05-12T00:00:00Z --until 2026-05-13T00:00:00Z',
  ],
  async run(context, _args, flags) {
    const { io, state } = context;
    assertMayRead(state);
    const lock = join(state.keys, 'lock');
    const clock = systemClock();
    const { parseVkey, parseWitnessVkey } = await import('#vault/prove');
    const given = text(flags, 'key');
    const options: VerifyOptions = {
      vault: state.vault,
      vkey: given === undefined ? readKey(context) : givenKey('--key', given, parseVkey).text,
      seen: (texts(flags, 'seen') ?? []).map(readSeen),
      contradiction: join(state.keys, 'contradiction'),
      now: () => clock.now(),
      witnesses: (texts(flags, 'witness') ?? []).map(
        (witness) => givenKey('--witness', witness, parseWitnessVkey).text,
      ),
      ...rangeOf(flags, clock.now()),
      ...(existsSync(lock) ? { lock } : {}),
    };
    const { verifyVault } = await import('#vault/verify');
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

/** The state directory's own key. */
const readKey = ({ state }: Context): string => {
  try {
    return readFileSync(state.vkeyFile, 'utf8').trim();
  } catch (error) {
    throw new CliError(
      'could-not-look',
      explainedFor(error, `could not read the public key ${state.vkeyFile}: give it with --key`),
      { cause: error },
    );
  }
};

/** No note is longer. */
const maxNote = 8192;

const readSeen = (file: string): SeenNote => {
  try {
    return { name: file, note: readShort(file, maxNote) };
  } catch (error) {
    throw new CliError('could-not-look', `could not read ${file}: ${messageOf(error)}`, { cause: error });
  }
};

const rangeOf = (flags: Flags, now: Micros): Pick<VerifyOptions, 'range'> => {
  const entries = text(flags, 'entries');
  const [since, until] = [text(flags, 'since'), text(flags, 'until')];
  if (entries !== undefined && (since !== undefined || until !== undefined))
    throw new CliError('usage', 'give --entries, or --since and --until, not both');
  if (entries !== undefined) return { range: entryRange(entries) };
  if (since === undefined && until === undefined) return {};
  return {
    range: {
      since: since === undefined ? null : when(since, '--since', now),
      until: until === undefined ? null : when(until, '--until', now),
    },
  };
};
