import { z } from 'zod';

/**
 * What goes over `run/search.sock`: HTTP/1.1 on a unix socket.
 *
 *     POST /search   SearchRequest → NDJSON: Hit lines, then one Answer line
 *     POST /tail     TailRequest   → NDJSON without end: Hit lines, `{"dropped":n}` where a reader was too slow,
 *                      `{"position":p}` and an Answer line behind the backlog where they were asked for
 *     POST /sql      SqlRequest → NDJSON: one object per row, then one Answer line, whose count is of rows
 *     POST /reader   → how to say who reads (reader.ts); what is above this line is answered to whoever has said it, and
 *                      recorded in the log
 *     POST /rebuild  → `{"rebuilding":true}` once the index is empty; it is then made again from the vault
 *     POST /browse, POST /leaf: src/wire/browse.ts
 *     POST /patterns: src/wire/patterns.ts
 *     POST /counts: src/wire/counts.ts
 *     POST /context: src/wire/context.ts
 *     POST /fields: src/wire/fields.ts
 *     POST /save, POST /forget, POST /saved: src/wire/saved.ts
 *     GET  /sources  → Source[]
 *     GET  /senders  → SenderFigures[]
 *     GET  /health   → Health
 *     errors: 4xx/5xx with SearchError
 */
export const searchRequest = z.strictObject({
  query: z.string().max(10_000),
  limit: z.int().min(0).max(100_000).default(100),
  /** `newest` (default): the newest `limit` hits, newest last as in a log file. `oldest`: the first ones. */
  from: z.enum(['newest', 'oldest']).default('newest'),
  /** `skip`: where more than `limit` lines match, do not count them, which takes as long as finding them. */
  total: z.enum(['count', 'skip']).default('count'),
  /** `all`: also other vaults whose indexes are on the same servers; their lines have the vault before their address. */
  vaults: z.enum(['own', 'all']).default('own'),
});
export type SearchRequest = z.input<typeof searchRequest>;

export const tailRequest = z.strictObject({
  query: z.string().max(10_000).default(''),
  /** Begin with this many of the newest hits. */
  backlog: z.int().min(0).max(1000).default(0),
  /**
   * Given at all, positions are sent: of what is in the vault before `{"position":"12:7/0"}` everything has been sent, or
   * counted as dropped. `null`: from now on. A position: from there, all that has come since, none of it dropped; `backlog`
   * is not heeded.
   */
  resume: z
    .string()
    .regex(/^\d{1,16}:\d{1,10}\/\d{1,10}$/)
    .nullable()
    .optional(),
  /** An Answer line after the backlog, if there is to be one: what it is worth. Of what follows nothing is said. */
  answers: z.boolean().default(false),
});
export type TailRequest = z.input<typeof tailRequest>;

/** One SELECT over the table `lines`, read-only and bounded. Mistakes are `bad-query`, with the column where it is known. */
export const sqlRequest = z.strictObject({ sql: z.string().max(100_000) });
export type SqlRequest = z.input<typeof sqlRequest>;

const time = z.string();

/**
 * What a parser had to guess: the `year` (the one that fits the receive time), the `zone` (the indexer's own, or one of
 * several of that name), the `host` (the first word, for want of anything that says so). `clock`: the sender says that
 * its clock is not set.
 */
export const guessNames = ['year', 'zone', 'host', 'clock'] as const;
export type Guess = (typeof guessNames)[number];

/** One line. `null` where absent; times are RFC 3339 UTC with six decimals. */
export const hit = z.object({
  address: z.string(),
  /** Time that the sender put into the line. */
  claimed: time.nullable(),
  /** Time at which the receiver had it. */
  received: time,
  /** Time of the commit that made it provable. */
  committed: time,
  /** Time that search sorts by: claimed where there is one that can be believed, else received. */
  time,
  host: z.string().nullable(),
  /** Peer address or name of the local sender. */
  source: z.string(),
  app: z.string().nullable(),
  pid: z.int().nullable(),
  facility: z.string().nullable(),
  severity: z.string().nullable(),
  message: z.string(),
  /** What was taken out of the line. */
  fields: z.record(z.string(), z.string()),
  /** What of the above was not in the line: see `guessNames`. */
  guessed: z.array(z.enum(guessNames)).optional(),
  /** Version of the parser that read the line. */
  parser: z.int().optional(),
  /** 0–100: how far the line kept to the format it was read as; 0 = no format recognised. */
  confidence: z.int().optional(),
  via: z.string(),
  /** base64 of the exact bytes received, without framing */
  raw: z.string(),
});
export type Hit = z.infer<typeof hit>;

export const answer = z.object({
  answer: z.object({
    /**
     * `unaltered` = every entry that was searched matched its checkpointed hash when it was indexed, and none of those
     * that were looked at again for this answer has changed since. `detail` says which and when.
     */
    integrity: z.object({
      verdict: z.enum(['unaltered', 'altered', 'unknown']),
      detail: z.string(),
      /** Outer-log size that the index has taken in. */
      indexed: z.int(),
      /** Outer-log size of the newest checkpoint. */
      committed: z.int(),
    }),
    /**
     * `known gaps` name what is missing; `unknown` where senders do not number what they send, and for what was received
     * later than the newest line of the index: a range without an end is never `complete`.
     */
    completeness: z.object({
      verdict: z.enum(['complete', 'known gaps', 'unknown']),
      detail: z.string(),
      /** Why it is `unknown`, in a few words, where that is in the nature of the senders or of the range. */
      brief: z.string().optional(),
      /** What is out of the ordinary and not among `gaps`: lines expired or redacted, doubts, what is not indexed. */
      notes: z.array(z.string()).optional(),
      gaps: z.array(
        z.object({
          /** Address, name or stream; where nobody can tell, the listener. */
          sender: z.string(),
          /** Where the receiver counted it, if that is not the sender. */
          listener: z.string().optional(),
          cause: z.string(),
          count: z.int().nullable(),
          from: time,
          until: time,
        }),
      ),
    }),
    /**
     * `current`: as new as what a configured witness remembered at the time that `detail` names, at most five minutes
     * ago. `unknown`: none has spoken since; `detail` says who was heard last. `contradicted`: somebody outside remembers
     * more than the vault has, or another log under its key.
     */
    freshness: z.object({
      verdict: z.enum(['current', 'unknown', 'contradicted']),
      detail: z.string(),
      /** `unknown` as no witness is configured. */
      unwatched: z.literal(true).optional(),
    }),
    range: z.object({
      /** Time range that the query asked for; `null` = open end. */
      since: time.nullable(),
      until: time.nullable(),
      /**
       * The part of it for which there is anything: from the first line in the index, to what was received before the
       * newest line of the index. `null`: there is none. Left out where lines of other vaults are in the answer.
       */
      covered: z.object({ from: time, until: time }).nullable().optional(),
    }),
    /** Lines that match, of which at most `limit` were sent. */
    count: z.int(),
    /** There are that many and maybe more: they were not counted to the end. */
    countIs: z.literal('at least').optional(),
    /** What may explain that less was found than expected: names that no sender has, `or` in small letters. */
    hints: z.array(z.string()).optional(),
    elapsedMs: z.number(),
  }),
});
export type Answer = z.infer<typeof answer>;

export const source = z.object({
  host: z.string().nullable(),
  app: z.string().nullable(),
  source: z.string(),
  via: z.string(),
  lines: z.int(),
  first: time,
  last: time,
  /** Only in the last row, where there are too many senders to list: about how many others it stands for. */
  others: z.int().optional(),
});
export type Source = z.infer<typeof source>;

/**
 * What is known of one sender, by its address (or the name of a local one), over the whole log. `sender` is `null` for
 * what was counted and nobody could say of whom.
 */
export const senderFigures = z.object({
  sender: z.string().nullable(),
  /** Names in the certificates that it showed; at most eight. */
  names: z.array(z.string()),
  via: z.array(z.string()),
  /** About how many hosts its lines claim. */
  hosts: z.int(),
  /** Lines in the log, and when the first and the last of them was received; `null`: none. */
  lines: z.int(),
  first: time.nullable(),
  last: time.nullable(),
  /** Lines that are gone. */
  lost: z.int(),
  /** Lines, messages or bodies of which a part came. */
  torn: z.int(),
  /** Connections, requests and datagrams that were not taken. */
  refused: z.int(),
  /** Seconds for which it was held back because the disk was behind. */
  heldBack: z.number(),
  /** Lines whose claimed host is not who sent them (docs/search.md). */
  mismatched: z.int(),
  /** The same by cause, most first (src/wire/ledger.ts). */
  causes: z.array(z.object({ kind: z.string(), cause: z.string(), count: z.int(), last: time })),
});
export type SenderFigures = z.infer<typeof senderFigures>;

export const health = z.object({
  indexed: z.int(),
  committed: z.int(),
  lines: z.int(),
  residentBytes: z.int(),
  /** Why the index does not take in what the vault has; `null`: it does. */
  trouble: z.string().nullable().default(null),
  /**
   * History is being read again by another version of the parser; entries below `entry` have been. Lines are found as
   * version `from` read them (`null`: several versions) until all have been.
   */
  reparsing: z.object({ from: z.int().nullable(), to: z.int(), entry: z.int() }).nullable().default(null),
});
export type Health = z.infer<typeof health>;

export const searchError = z.object({
  error: z.object({
    code: z.enum([
      'bad-query',
      'bad-request',
      'too-expensive',
      'unproven',
      'unrecorded',
      'could-not-look',
      'internal',
    ]),
    message: z.string(),
    /** `bad-query`: zero-based column of the mistake in the query. */
    column: z.int().nullable(),
    suggestion: z.string().nullable(),
  }),
});
export type SearchError = z.infer<typeof searchError>;
