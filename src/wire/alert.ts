import { z } from 'zod';

/**
 * Alerts, as they pass from one process to the next: rules from whoever starts the processes to the indexer, which
 * evaluates them; notifications from the indexer to the courier, which delivers them; states from the indexer to whoever
 * asks over run/search.sock:
 *
 *     POST /alerts       {} → NDJSON: AlertState lines
 *     POST /alerts/test  TestRequest → TestAnswer, 404 where nothing has that name
 */

/** Names of rules and of whom to notify. */
export const alertName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dots, dashes and underscores, at most 64');

export const alertSeverities = ['critical', 'error', 'warning', 'notice'] as const;

const seconds = z.number().nonnegative();
/** host, app, source, via, listener, or the name of an extracted field. */
const fieldName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/, 'no name of a field');

/** What a rule waits for, in the lines that its query finds. */
export const watch = z.discriminatedUnion('for', [
  /** `lines` of them within so many seconds, for each set of values of `by`. */
  z.strictObject({
    for: z.literal('count'),
    lines: z.int().min(1),
    within: z.number().positive(),
    by: z.array(fieldName).max(4),
  }),
  /** A value of `field`, or a message template (`pattern`), that was not seen before; with `by`, not together with its values. */
  z.strictObject({ for: z.literal('new'), field: fieldName, by: z.array(fieldName).max(4), learn: seconds }),
  /** Nothing more from a set of values of `by`: for `after` seconds, or (null) for much longer than it ever paused. */
  z.strictObject({
    for: z.literal('silence'),
    by: z.array(fieldName).min(1).max(4),
    after: z.number().positive().nullable(),
    learn: seconds,
  }),
]);
export type Watch = z.infer<typeof watch>;

export const alertRule = z.strictObject({
  name: alertName,
  /** Of the query language of `logs search`; empty: every line but Holdfast's own. */
  query: z.string().max(10_000),
  watch,
  severity: z.enum(alertSeverities),
  /** Names of whom to tell. */
  notify: z.array(alertName),
});
export type AlertRule = z.infer<typeof alertRule>;

/** Whom to tell, and how. No secret stands here: files and credentials are named. */
export const notifyTarget = z.strictObject({
  name: alertName,
  /** Seconds after which a delivery that does not succeed is given up. */
  giveUp: z.number().positive(),
  how: z.discriminatedUnion('by', [
    z.strictObject({
      by: z.literal('email'),
      host: z.string(),
      port: z.int().min(1).max(65_535),
      /** `implicit` from the first byte, `starttls` or nothing is sent, `none` only to this machine. */
      tls: z.enum(['implicit', 'starttls', 'none']),
      from: z.string(),
      to: z.array(z.string()).min(1),
      user: z.string().nullable(),
      passwordFile: z.string().nullable(),
      caFile: z.string().nullable(),
    }),
    z.strictObject({
      by: z.literal('webhook'),
      /** An address, or where it is a secret itself, the file that holds it. */
      url: z.string(),
      secretFile: z.string().nullable(),
      caFile: z.string().nullable(),
      timeout: z.number().positive(),
    }),
    z.strictObject({
      by: z.literal('command'),
      argv: z.array(z.string()).min(1),
      timeout: z.number().positive(),
    }),
  ]),
});
export type NotifyTarget = z.infer<typeof notifyTarget>;

const time = z.string();
const values = z.record(z.string(), z.string());

/** A line that shows what an event is about. Text is made printable. */
export const sample = z.object({
  address: z.string(),
  time,
  host: z.string().nullable(),
  app: z.string().nullable(),
  message: z.string(),
});
export type Sample = z.infer<typeof sample>;

/** Something that a rule says of one set of values. */
export const alertEvent = z.object({
  /** The same for what is firing and its recovery. */
  episode: z.string(),
  /** `seen`: something new, which does not recover. `broken`: the rule itself could not be evaluated. */
  state: z.enum(['firing', 'recovered', 'seen', 'broken', 'test']),
  of: values,
  /** In words, e.g. `12 lines within 5 min`. */
  text: z.string(),
  /** Lines that match, so far; `null` where that says nothing. */
  lines: z.int().nullable(),
  since: time,
  until: time,
  /** The newest first; at most five. */
  samples: z.array(sample),
});
export type AlertEvent = z.infer<typeof alertEvent>;

/** What is delivered, and to whom: one JSON file in `alerts/outbox/`. A webhook and a command are given the same. */
export const notification = z.object({
  /** A receiver that has had this id has had this notification. */
  id: z.string(),
  rule: z.string(),
  severity: z.enum(alertSeverities),
  notify: z.array(z.string()),
  /** The host that the log is on. */
  log: z.string(),
  time,
  query: z.string(),
  /** What the rule waits for, in words. */
  watch: z.string(),
  events: z.array(alertEvent),
  /** Events of the same moment that are not listed; each has its line. */
  more: z.int(),
  /** A command that shows the lines. */
  look: z.string().nullable(),
});
export type Notification = z.infer<typeof notification>;

/** The file of a notification in the outbox, by its number and the store that has numbered it. */
export const notificationFile = {
  name: (store: string, number: number): string => `${String(number).padStart(12, '0')}-${store}.json`,
  pattern: /^(\d{12,})-([0-9a-f]+)\.json$/,
} as const;

export const alertState = z.object({
  rule: z.string(),
  query: z.string(),
  watch: z.string(),
  severity: z.enum(alertSeverities),
  notify: z.array(z.string()),
  /**
   * `learning`: nothing counts as new or silent yet. `failing`: it could not be evaluated last, and is tried again.
   * `broken`: it is not evaluated. `detail` says why.
   */
  state: z.enum(['quiet', 'firing', 'learning', 'failing', 'broken']),
  detail: z.string().nullable(),
  firing: z.array(z.object({ of: values, text: z.string(), since: time })),
  /** How many are firing; those listed are the first. */
  count: z.int(),
  /** Entries of the log that the rule has looked at, and how many it has still to. */
  evaluated: z.int(),
  behind: z.int(),
  lastFiring: time.nullable(),
  lastDelivery: z.object({ time, to: z.string(), result: z.string(), why: z.string().nullable() }).nullable(),
});
export type AlertState = z.infer<typeof alertState>;

/** `name`: of a rule, or of whom to notify. */
export const testRequest = z.strictObject({ name: z.string().max(100) });
export const testAnswer = z.object({ id: z.string(), notify: z.array(z.string()) });
export type TestAnswer = z.infer<typeof testAnswer>;
