import { ShipError } from '../errors.ts';

/** One entry of the journal as `journalctl -o export` prints it. */
export type ExportedEntry = {
  /** Exact bytes: every field with the LF that ends it, without the empty line between entries. */
  raw: Buffer;
  /** Values of the fields that were asked for; the last one where a field occurs more than once. */
  fields: Map<string, string>;
};

/** systemd's own limit for one field (DATA_SIZE_MAX, src/libsystemd/sd-journal/journal-importer.h). */
const mostFieldBytes = 768 * 1024 * 1024;

/**
 * Takes the journal export format apart, in whatever pieces it comes
 * (https://systemd.io/JOURNAL_EXPORT_FORMATS): `NAME=value LF`, or `NAME LF`, u64 little-endian length, that many
 * bytes, LF; an empty line ends an entry.
 *
 * @param wanted names of fields whose values the caller needs
 * @returns feeds bytes, gives the entries that are complete
 * @throws ShipError `not-export-format`
 */
export const exportParser = (wanted: readonly string[]): ((chunk: Buffer) => ExportedEntry[]) => {
  const names = new Set(wanted);
  let bytes: Buffer = Buffer.alloc(0);
  /** Where the entry begins, where the next field does, and how far was looked for its LF. */
  let start = 0;
  let at = 0;
  let searched = 0;
  /** Bytes that must be there before it is worth looking again. */
  let needed = 0;
  let fields = new Map<string, string>();
  const pieces: Buffer[] = [];
  let pieceBytes = 0;

  const want = (from: number, to: number, valueAt: number, valueEnd: number): void => {
    const name = bytes.toString('latin1', from, to);
    if (names.has(name)) fields.set(name, bytes.toString('utf8', valueAt, valueEnd));
  };

  /** @returns whether a whole field, or the end of an entry, was passed */
  const pass = (entries: ExportedEntry[]): boolean => {
    const lineEnd = bytes.indexOf(0x0a, Math.max(at, searched));
    if (lineEnd === -1) {
      searched = bytes.length;
      return false;
    }
    if (lineEnd === at) {
      if (at > start) entries.push({ raw: bytes.subarray(start, at), fields });
      fields = new Map();
      start = at = searched = lineEnd + 1;
      return true;
    }
    const equals = bytes.indexOf(0x3d, at);
    if (equals === at) throw new ShipError('not-export-format', 'journalctl printed a field without a name');
    if (equals !== -1 && equals < lineEnd) {
      want(at, equals, equals + 1, lineEnd);
      at = searched = lineEnd + 1;
      return true;
    }
    const valueAt = lineEnd + 9;
    if (bytes.length < valueAt) {
      needed = valueAt;
      return false;
    }
    const length = Number(bytes.readBigUInt64LE(lineEnd + 1));
    if (length > mostFieldBytes) {
      throw new ShipError(
        'not-export-format',
        `journalctl announced a field of ${length} bytes; systemd's limit is ${mostFieldBytes}`,
      );
    }
    if (bytes.length < valueAt + length + 1) {
      needed = valueAt + length + 1;
      return false;
    }
    if (bytes[valueAt + length] !== 0x0a) {
      throw new ShipError('not-export-format', 'journalctl printed a binary field that no LF follows');
    }
    want(at, lineEnd, valueAt, valueAt + length);
    at = searched = valueAt + length + 1;
    return true;
  };

  return (chunk) => {
    pieces.push(chunk);
    pieceBytes += chunk.length;
    // A long field comes in thousands of pieces: they are joined once, when all are there.
    if (bytes.length + pieceBytes < needed) return [];
    bytes = Buffer.concat([bytes.subarray(start), ...pieces]);
    at -= start;
    searched = Math.max(0, searched - start);
    start = 0;
    needed = 0;
    pieces.length = 0;
    pieceBytes = 0;
    const entries: ExportedEntry[] = [];
    while (pass(entries));
    return entries;
  };
};
