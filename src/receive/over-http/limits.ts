/** What senders may take of the receiver by HTTP. Times in milliseconds, sizes in bytes. */
export type HttpLimits = {
  /** A body that is stored in one piece, or an entry of a journal. */
  body: number;
  /** Of lines that are stored at once. */
  lines: number;
  /** Bodies of all requests that are under way. */
  bodies: number;
  /** Request line and headers. */
  head: number;
  headMs: number;
  /** Within a body, without a byte of it. */
  stalledMs: number;
  /** In which a body need not keep to the slowest rate. */
  graceMs: number;
  /** Bytes a second, on average. A journal that is followed may take its time. */
  slowest: number;
  /** A body that is not stored, such as the token of one who enrols. */
  shortMs: number;
  /** Without a request. */
  idleMs: number;
  /** Until the answer was taken. */
  answerMs: number;
  /** How long a request waits until the disk has caught up. */
  patienceMs: number;
  /** Unanswered requests of one connection. */
  ahead: number;
};

const MiB = 1024 * 1024;

export const httpLimits: HttpLimits = {
  body: 32 * MiB,
  lines: 4 * MiB,
  bodies: 64 * MiB,
  head: 16 * 1024,
  headMs: 10_000,
  stalledMs: 60_000,
  graceMs: 60_000,
  slowest: 1024,
  shortMs: 10_000,
  idleMs: 75_000,
  answerMs: 60_000,
  patienceMs: 10_000,
  ahead: 8,
};
