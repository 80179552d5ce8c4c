import { maxNote, parseCheckpoint } from '#vault/checkpoint';
import { readBounded } from './files.ts';
import { judge, openOwn, type LogView, type OutsideNote } from './outside.ts';
import { messageOf, type Findings } from './report.ts';

/** What the keeper was convicted by: a note of the log's key that its log did not contain. It ends all signing. */
export const contradictionName = 'keys/contradiction';

export type Contradiction =
  | { kind: 'note'; note: Buffer }
  /** It is there, and no note can be had from it. */
  | { kind: 'no note'; why: string }
  /** Nobody can tell whether it is there. */
  | { kind: 'unseen'; why: string };

/** @param file where it would be; `null` where there is none */
export const readContradiction = (file: string | undefined): Contradiction | null => {
  if (file === undefined) return null;
  try {
    const note = readBounded(file, maxNote);
    return note === null ? null : { kind: 'note', note };
  } catch (error) {
    const why = messageOf(error);
    const isHidden = error instanceof Error && 'code' in error && error.code === 'EACCES';
    return isHidden ? { kind: 'unseen', why } : { kind: 'no note', why };
  }
};

/**
 * Whether it still contradicts. Once the log contains what the note says, because the newer state was restored, it does
 * not: the keeper removes it at its next start.
 */
export const judgeContradiction = (
  found: Contradiction | null,
  log: LogView,
  findings: Findings,
): OutsideNote[] => {
  if (found === null) return [];
  if (found.kind !== 'note') return [withoutLog(found, findings)];
  const own = openOwn(found.note, log);
  if (typeof own === 'string') return [byUnknownKey(found.note, log, own, findings)];
  const judged = judge(contradictionName, own, log, findings);
  if (judged === null) return [containedNow(own.size)];
  return judged.kind === 'unusable' ? [convicting(`cannot be compared: ${judged.why}`, findings)] : [judged];
};

const containedNow = (size: number): OutsideNote => ({
  kind: 'contained',
  name: contradictionName,
  source: 'given',
  size,
  heard: [],
});

/**
 * The keeper took the word of a witness that it knew, and only the keeper writes there: a state that was put back to
 * before its key was replaced does not know the key on the note.
 */
const byUnknownKey = (note: Buffer, log: LogView, why: string, findings: Findings): OutsideNote => {
  try {
    const { origin, size, root } = parseCheckpoint(note);
    if (origin !== log.target.origin) throw new Error(`it is of ${origin}`);
    if (size > log.target.size)
      return convicting(
        `remembers size ${size}, and the vault ends at ${log.target.size}: it was put back`,
        findings,
      );
    return log.rootAt(size)?.equals(root) === true
      ? containedNow(size)
      : convicting(`remembers another log of size ${size}`, findings);
  } catch (error) {
    return convicting(`is no checkpoint of this log (${why}; ${messageOf(error)})`, findings);
  }
};

/** Where there is no log to hold it against, it counts as it is. */
export const withoutLog = (found: Contradiction, findings: Findings): OutsideNote => {
  if (found.kind === 'unseen') {
    findings.add({ file: contradictionName, what: `could not be looked for: ${found.why}`, unseen: true });
    return { kind: 'unusable', name: contradictionName, why: found.why };
  }
  if (found.kind === 'no note') return convicting(`cannot be read: ${found.why}`, findings);
  try {
    return convicting(`remembers size ${parseCheckpoint(found.note).size}`, findings);
  } catch (error) {
    return convicting(`is no note: ${messageOf(error)}`, findings);
  }
};

const convicting = (why: string, findings: Findings): OutsideNote => {
  findings.add({ file: contradictionName, what: why });
  return { kind: 'convicting', name: contradictionName, why };
};
