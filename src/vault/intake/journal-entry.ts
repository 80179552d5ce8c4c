/**
 * Finds where an entry of systemd's journal export format ends, and looks at nothing else
 * (https://systemd.io/JOURNAL_EXPORT_FORMATS/). A field is `NAME=value LF`, or `NAME LF`, the length of the value as a
 * u64 (little-endian), the value and LF. An empty line ends the entry.
 */
export type EntryWalker = {
  /** The next byte is the first of an entry. */
  begin(): void;
  /**
   * Walks on from `from`, which is where the walk before has ended, in these bytes or in others.
   * `none`: this is no field, whatever follows.
   */
  walk(bytes: Buffer, from: number): 'whole' | 'unfinished' | 'none';
  /** Where the walk has ended: with `whole`, after the empty line. */
  readonly at: number;
  /** Nothing of a field has been begun. */
  readonly betweenFields: boolean;
  /** Bytes of the entry since the end of the last line that may be none of this format's; 0 where there is no doubt. */
  readonly doubtful: number;
};

const LF = 0x0a;
const EQUALS = 0x3d;
/** systemd's own bounds: DATA_SIZE_MAX of journal-importer.h, and the length of a name in journal-file.c, with room. */
const longestValue = 768 * 1024 * 1024;
const longestName = 256;

export const walkEntries = (): EntryWalker => {
  let state: 'field' | 'line' | 'text' | 'length' | 'value' | 'trailer' = 'field';
  let nameLength = 0;
  let lengthBytes = 0;
  let missing = 0;
  let doubtful = 0;
  let at = 0;

  const begin = (): void => {
    state = 'field';
    doubtful = 0;
  };

  /** In a line of which no `=` has come yet: a binary field's name, if LF comes first. */
  const name = (bytes: Buffer): boolean => {
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === EQUALS) {
        state = 'text';
        return true;
      }
      if (byte === LF) {
        state = 'length';
        lengthBytes = 0;
        missing = 0;
        doubtful = 1;
        at += 1;
        return true;
      }
      nameLength += 1;
      if (nameLength > longestName) return false;
    }
    return true;
  };

  const length = (bytes: Buffer): boolean => {
    for (; at < bytes.length && lengthBytes < 8; at += 1) {
      missing += (bytes[at] ?? 0) * 2 ** (8 * lengthBytes);
      lengthBytes += 1;
      doubtful += 1;
    }
    if (lengthBytes < 8) return true;
    state = 'value';
    return missing <= longestValue;
  };

  return {
    begin,
    walk(bytes, from) {
      at = from;
      while (at < bytes.length) {
        switch (state) {
          case 'field':
            if (bytes[at] === LF) {
              at += 1;
              begin();
              return 'whole';
            }
            nameLength = 0;
            state = 'line';
            break;
          case 'line':
            if (!name(bytes)) return 'none';
            break;
          case 'text': {
            const end = bytes.indexOf(LF, at);
            at = end < 0 ? bytes.length : end + 1;
            if (end >= 0) state = 'field';
            break;
          }
          case 'length':
            if (!length(bytes)) return 'none';
            break;
          case 'value': {
            const come = Math.min(missing, bytes.length - at);
            missing -= come;
            doubtful += come;
            at += come;
            if (missing === 0) state = 'trailer';
            break;
          }
          case 'trailer':
            if (bytes[at] !== LF) return 'none';
            at += 1;
            state = 'field';
            doubtful = 0;
            break;
        }
      }
      // A value of no bytes is at its end without another byte.
      return 'unfinished';
    },
    get at() {
      return at;
    },
    get betweenFields() {
      return state === 'field';
    },
    get doubtful() {
      return doubtful;
    },
  };
};
