import { z } from 'zod';

/**
 * The protocol of `run/own.sock`, the one way in for what Holdfast's own processes have to say. Integers are
 * big-endian.
 *
 *     client → receiver, once     u32 length, hello (JSON, see `hello`)
 *     client → receiver, often    u64 sequence, u16 meta length, meta (JSON, see `lineMeta`), u32 raw length, raw
 *     receiver → client           u64 highest sequence number that is durable, after each fsync
 *
 * Sequence numbers of a stream begin at 1 and are contiguous. After a reconnect the client sends again from the
 * first that was not acknowledged; search shows each (stream, sequence) once.
 */
export const hello = z.strictObject({
  /** Name of the sending process, e.g. `agent`. Becomes the record's peer. */
  sender: z.string().min(1).max(64),
  /** Who numbers: stable over reconnects and restarts for as long as the numbering goes on. */
  stream: z.string().min(1).max(128),
});
export type Hello = z.infer<typeof hello>;

/** What the sender says of a line it did not write itself. Kept in the record, next to the raw bytes. */
export const lineMeta = z.looseObject({
  /**
   * Where the sender got it: `journal` (raw is one entry in journal export format), `file` (raw is one line of a text
   * file, without its LF), `kernel` (raw is one record of /dev/kmsg), `fact` (raw is a JSON fact about the host), `self`
   * (raw is a JSON object about Holdfast's own work, with a `kind`), `import` (raw is one line of a file that was imported,
   * or with `format` one entry of a journal).
   */
  via: z.enum(['journal', 'file', 'kernel', 'fact', 'self', 'import']),
  host: z.string(),
  /** `file`, `import`: absolute path; `stdin`. */
  path: z.string().optional(),
  /** `import`, of a journal. */
  format: z.literal('journal').optional(),
  /** `import`: no line of the file is later than a day after this, µs since the epoch. */
  writtenBy: z.int().optional(),
  /** `journal`: the entry's cursor. `kernel`: boot id and sequence. `file`: inode and offset. */
  cursor: z.string().optional(),
  /** Existed before the sender first looked. */
  backfill: z.boolean().optional(),
});
export type LineMeta = z.infer<typeof lineMeta>;
