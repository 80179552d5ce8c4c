import { ageOf, recentSeconds } from '#vault/checkpoint';
import { newestHeard, type Heard, type OutsideNote } from './outside.ts';
import { contradictionName } from './contradiction.ts';
import { plural } from './report.ts';

/** What the signer's memory, `keys/lock`, says of the published log. */
export type SignerMemory = {
  /** `one more`: a commit is signed and waits to be published. `nothing`: it was not given, or cannot be read. */
  says: 'the same' | 'one more' | 'more' | 'less' | 'another root' | 'nothing';
  size: number | null;
};

/** A state of this log that somebody outside remembers, and that the log contains. */
export type Remembered = {
  by: string;
  size: number;
  /** RFC 3339, where a known witness said so. */
  at: string | null;
};

/** Two notes by the log's key that cannot both be true: whoever holds them can show that it was forked. */
export type SplitView = { by: string; theirs: string; ours: string };

export type Freshness = {
  /**
   * `current`: a known witness has cosigned it within the last five minutes, as `detail` says. `unknown`: none has;
   * `detail` says who was heard last. `contradicted`: somebody remembers more than the vault has, or another log under
   * its key.
   */
  verdict: 'current' | 'unknown' | 'contradicted';
  detail: string;
  signer: SignerMemory;
  remembered: Remembered[];
  split: SplitView[];
  /** Notes that were given and say nothing of this log. */
  unusable: { by: string; why: string }[];
};

export type Present = {
  /** Seconds since 1970 when the look began; `null` where there is no clock to go by. */
  now: number | null;
  /** Whether the keeper began unwitnessed in an entry from this one on; `null` where entries could not be read. */
  unwitnessedSince: (entry: number) => boolean | null;
};

/** Of a look that found no log to hold anything against. */
export const noPresent: Present = { now: null, unwitnessedSince: () => null };

/** @param size of the log that was checked */
export const judgeFreshness = (
  size: number,
  signer: SignerMemory,
  notes: readonly OutsideNote[],
  present: Present,
): Freshness => {
  const contained = notes.filter((note) => note.kind === 'contained');
  const rest = {
    signer,
    remembered: contained.flatMap(rememberedOf),
    split: notes.flatMap((note) => (note.kind === 'forked' ? [note.split] : [])),
    unusable: notes.flatMap((note) => (note.kind === 'unusable' ? [{ by: note.name, why: note.why }] : [])),
  };
  const against = contradictions(size, signer, notes);
  if (against.length > 0)
    return { verdict: 'contradicted', detail: `${against.join('; ')}${remedy(notes)}`, ...rest };

  const heard = contained.flatMap((note) => note.heard);
  const blind = rest.unusable.some(({ by }) => by === contradictionName);
  const counting = blind ? [] : heard.filter((one) => doubtAbout(one, present) === null);
  const current = newestHeard(counting);
  if (current !== null) {
    const detail = `as new as what ${current.by} remembered at ${timeText(current.seconds)}, size ${current.size}${grownBy(size - current.size)}`;
    return { verdict: 'current', detail, ...rest };
  }
  // A witness whose clock is wrong must not stand before one that counts.
  const last = newestHeard(heard.filter((one) => isRecent(one, present))) ?? newestHeard(heard);
  const given = contained
    .filter(({ source }) => source === 'given')
    .reduce<(typeof contained)[number] | null>((a, b) => (a !== null && a.size >= b.size ? a : b), null);
  const known = [
    ...(given === null
      ? []
      : [
          `at least as new as what ${given.name} remembers (size ${given.size})${grownBy(size - given.size)}`,
        ]),
    ...(last === null
      ? []
      : [
          `${last.by} last spoke at ${timeText(last.seconds)} for size ${last.size}: ${doubtAbout(last, present) ?? `${contradictionName} could not be looked for`}`,
        ]),
  ];
  if (known.length === 0) return { verdict: 'unknown', detail: unheardDetail(signer), ...rest };
  const lately = last === null ? '; no witness that is known was heard' : '';
  return { verdict: 'unknown', detail: `${known.join('; ')}${lately}`, ...rest };
};

const rememberedOf = ({ name, size, heard }: Extract<OutsideNote, { kind: 'contained' }>): Remembered[] =>
  heard.length === 0
    ? [{ by: name, size, at: null }]
    : heard.map((one) => ({ by: one.by, size: one.size, at: timeText(one.seconds) }));

const isRecent = ({ seconds }: Heard, { now }: Present): boolean =>
  now !== null && ageOf(seconds, now) === 'recent';

/** Why what a witness said does not make the log current. */
const doubtAbout = ({ size, seconds }: Heard, { now, unwitnessedSince }: Present): string | null => {
  if (now === null) return 'nobody says what time it is now';
  const age = ageOf(seconds, now);
  if (age === 'old')
    return `that is more than ${recentSeconds / 60} minutes ago, and a state put back since would look the same`;
  if (age === 'ahead') return `that is ahead of this clock (${timeText(now)}): one of the two is wrong`;
  switch (unwitnessedSince(size)) {
    case true:
      return 'the keeper has started since without an answer from any witness';
    case null:
      return 'entries since then could not be read';
    case false:
      return null;
  }
};

/** Who remembers what this log cannot have been continued from. */
const contradictions = (size: number, signer: SignerMemory, notes: readonly OutsideNote[]): string[] => {
  const split = notes.filter((note) => note.kind === 'forked').map((note) => note.split.by);
  const ahead = [
    ...notes.flatMap((note) => (note.kind === 'ahead' ? [`${note.name} remembers size ${note.size}`] : [])),
    ...(signer.says === 'more' ? [`the signer remembers size ${signer.size}`] : []),
  ];
  return [
    ...(split.length > 0
      ? [`the log’s key has signed two histories: ${split.join(', ')} and this vault contradict each other`]
      : []),
    ...(signer.says === 'another root' ? [`the signer remembers another root for size ${signer.size}`] : []),
    ...(ahead.length > 0 ? [`${ahead.join(', ')}; the vault ends at ${size}: it was put back`] : []),
    ...notes.flatMap((note) => (note.kind === 'convicting' ? [`${note.name} ${note.why}`] : [])),
  ];
};

const remedy = (notes: readonly OutsideNote[]): string =>
  notes.some((note) => note.kind !== 'contained' && note.name === contradictionName)
    ? '. The keeper signs nothing more: restore the newer state (docs/formats/witness.md)'
    : '. Restore the newer state';

const grownBy = (entries: number): string =>
  entries === 0
    ? ''
    : `; ${plural(entries, 'entry has', 'entries have')} come since, which nobody outside vouches for`;

/** Nobody outside has been heard: the signer's own memory would have been put back along with the vault. */
const unheardDetail = (signer: SignerMemory): string => {
  switch (signer.says) {
    case 'the same':
      return 'it is what the signer remembers, but nobody outside was heard: a rollback of the whole state directory, keys included, would not show';
    case 'one more':
      return `size ${signer.size} is signed and waits to be published; nobody outside was heard`;
    case 'nothing':
      return 'the signer’s memory (keys/lock) was not at hand, and nobody outside was heard';
    case 'less':
      return `the signer’s memory was put back to size ${signer.size}, and nobody outside was heard`;
    case 'more':
    case 'another root':
      return 'nobody outside was heard';
  }
};

const latestSecond = 253_402_300_799;

const timeText = (seconds: number): string =>
  seconds > latestSecond ? `second ${seconds}` : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
