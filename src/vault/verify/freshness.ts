import type { OutsideNote } from './outside.ts';
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
  /** RFC 3339, where a witness said so. */
  at: string | null;
};

/** Two notes by the log's key that cannot both be true: whoever holds them can show that it was forked. */
export type SplitView = { by: string; theirs: string; ours: string };

export type Freshness = {
  /**
   * `current`: as new as what `remembered` says, and no more is known. `unknown`: nobody outside was heard. `stale`:
   * somebody remembers more. `contradicted`: somebody remembers another log under this key.
   */
  verdict: 'current' | 'unknown' | 'stale' | 'contradicted';
  detail: string;
  signer: SignerMemory;
  remembered: Remembered[];
  split: SplitView[];
  /** Notes that were given and say nothing of this log. */
  unusable: { by: string; why: string }[];
};

/** Nobody outside has been heard: the signer's own memory would have been put back along with the vault. */
const unknownDetail = (signer: SignerMemory): string => {
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

export const judgeFreshness = (
  size: number,
  signer: SignerMemory,
  notes: readonly OutsideNote[],
): Freshness => {
  const remembered = notes.flatMap((note) => (note.kind === 'contained' ? note.by : []));
  const split = notes.flatMap((note) => (note.kind === 'forked' ? [note.split] : []));
  const unusable = notes.flatMap((note) =>
    note.kind === 'unusable' ? [{ by: note.name, why: note.why }] : [],
  );
  const ahead = notes.filter((note) => note.kind === 'ahead');
  const rest = { signer, remembered, split, unusable };
  if (split.length > 0 || signer.says === 'another root')
    return {
      verdict: 'contradicted',
      detail:
        split.length > 0
          ? `the log’s key has signed two histories: ${split.map(({ by }) => by).join(', ')} and this vault contradict each other`
          : `the signer remembers another root for size ${signer.size}`,
      ...rest,
    };
  if (ahead.length > 0 || signer.says === 'more') {
    const who = [
      ...ahead.map((note) => `${note.name} remembers size ${note.size}`),
      ...(signer.says === 'more' ? [`the signer remembers size ${signer.size}`] : []),
    ];
    return { verdict: 'stale', detail: `${who.join(', ')}; the vault ends at ${size}`, ...rest };
  }
  if (remembered.length === 0) return { verdict: 'unknown', detail: unknownDetail(signer), ...rest };
  const newest = remembered.reduce((a, b) => (b.size > a.size ? b : a));
  const since = size - newest.size;
  const grown =
    since === 0
      ? ''
      : `; ${plural(since, 'entry', 'entries')} have come since, which nobody outside vouches for`;
  return {
    verdict: 'current',
    detail: `as new as what ${newest.by} remembered${newest.at === null ? '' : ` at ${newest.at}`}, size ${newest.size}${grown}`,
    ...rest,
  };
};
