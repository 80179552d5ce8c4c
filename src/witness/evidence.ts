import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '#base/errors';
import { printable } from '#base/printable';
import { sha256 } from '#vault/tree';
import type { Durable } from '#vault/durable';
import { WitnessError } from './errors.ts';
import { originHash, type WitnessLayout } from './layout.ts';

/** Notes of one log that cannot both be true, and how that was seen. */
export type Contradiction = {
  origin: string;
  /** One line, for an operator. */
  why: string;
  /** Each signed by the log. */
  notes: readonly Buffer[];
  /** Seconds since 1970. */
  time: number;
};

/**
 * Keeps the notes, each under the SHA-256 of its bytes so that none takes the place of another, and then stops the log:
 * `stopped/<origin hash>`, which only `resume` takes away.
 * @returns paths of the notes
 */
export const keepEvidence = async (
  layout: WitnessLayout,
  durable: Durable,
  { origin, why, notes, time }: Contradiction,
): Promise<string[]> => {
  const names = notes.map((note) => sha256(note).toString('hex'));
  const directory = join(layout.evidence, originHash(origin));
  const paths = names.map((name) => join(directory, `${name}.note`));
  for (const [index, note] of notes.entries()) {
    const path = paths[index] ?? '';
    if (!existsSync(path)) await durable.create(path, note);
  }
  const text = [
    'holdfast.stopped/v1',
    `origin ${origin}`,
    `time ${time}`,
    `why ${printable(why)}`,
    ...names.map((name) => `note ${name}`),
    '',
  ].join('\n');
  await durable.write(stoppedPath(layout, origin), Buffer.from(text), 0o644);
  return paths;
};

/** Notes of one log that are kept on suspicion: whoever stands between could show every checkpoint that there was. */
const mostSuspected = 16;

/**
 * Keeps a note that the log signed and that was not proven to continue what is remembered. By itself it shows nothing, the
 * proof may have been spoiled on its way; should the log turn out to have signed two histories, it is one half of it.
 */
export const keepSuspected = async (
  layout: WitnessLayout,
  durable: Durable,
  origin: string,
  note: Buffer,
): Promise<void> => {
  const directory = join(layout.evidence, originHash(origin));
  const path = join(directory, `suspected-${sha256(note).toString('hex')}.note`);
  const kept = existsSync(directory)
    ? readdirSync(directory).filter((name) => name.startsWith('suspected-'))
    : [];
  if (kept.length < mostSuspected && !existsSync(path)) await durable.create(path, note);
};

/** Why nothing is cosigned for a log any more, or `null`. Whatever the file says: that it is there is what counts. */
export const stoppedBecause = (layout: WitnessLayout, origin: string): string | null => {
  try {
    const text = readFileSync(stoppedPath(layout, origin), 'utf8');
    return /^why (.+)$/m.exec(text)?.[1] ?? 'stopped, the reason cannot be read';
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? null : 'stopped, the reason cannot be read';
  }
};

/**
 * An operator has looked: cosigning goes on, from what is remembered. The evidence stays.
 * @throws WitnessError `absent` where nothing stopped the log
 */
export const resume = async (layout: WitnessLayout, durable: Durable, origin: string): Promise<void> => {
  if (stoppedBecause(layout, origin) === null)
    throw new WitnessError('absent', `nothing stopped the log ${origin}: there is nothing to resume`);
  await durable.remove([stoppedPath(layout, origin)]);
};

const stoppedPath = ({ stopped }: WitnessLayout, origin: string): string => join(stopped, originHash(origin));
