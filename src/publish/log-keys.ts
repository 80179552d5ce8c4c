import { parseVkey, type Vkey } from '#vault/checkpoint';
import type { Publication } from '#vault/tiles';
import { parseEntry, tileWidth } from '#vault/tree';

/** Keys that the log had, as far as it names them itself: the first one it does not. */
export type LogKeys = {
  /** Of each `key` entry, the newest first; the one in force is among them. @throws VaultError `corrupt` */
  named(publication: Publication): readonly Vkey[];
};

/** Reads each entry that amends the log once. */
export const openLogKeys = (): LogKeys => {
  let read: { count: number; last: number; keys: readonly Vkey[] } = { count: 0, last: -1, keys: [] };
  return {
    named(publication) {
      const indices = publication.amendments();
      // Another list than before: the vault was put back under this process.
      if (read.count > 0 && indices[read.count - 1] !== read.last) read = { count: 0, last: -1, keys: [] };
      const found = indices.slice(read.count).flatMap((index) => keyIn(publication, index));
      read = {
        count: indices.length,
        last: indices.at(-1) ?? -1,
        keys: found.length === 0 ? read.keys : [...found.toReversed(), ...read.keys],
      };
      return read.keys;
    },
  };
};

const keyIn = (publication: Publication, index: number): Vkey[] => {
  const bytes = publication.tiles().bundle(Math.floor(index / tileWidth))[index % tileWidth];
  const entry = bytes === undefined ? null : parseEntry(bytes);
  return entry?.kind === 'key' ? [parseVkey(entry.key)] : [];
};
