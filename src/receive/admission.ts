import { readFileSync } from 'node:fs';

/** Counts connections of all listeners against one limit. */
export type Admission = {
  /** `false`: refuse it. Otherwise `leave()` when it is closed. */
  enter(): boolean;
  leave(): void;
  readonly limit: number;
};

export const admitAtMost = (limit: number): Admission => {
  let open = 0;
  return {
    enter() {
      if (open >= limit) return false;
      open += 1;
      return true;
    },
    leave() {
      open -= 1;
    },
    limit,
  };
};

/** Descriptors that the receiver needs besides its connections: intake, listeners, /proc, Node's own. */
const reserved = 128;

/**
 * `wanted`, or what the limit on open files (RLIMIT_NOFILE, soft; proc_pid_limits(5)) leaves: beyond that libuv
 * would close connections without a word.
 */
export const connectionLimit = (wanted: number): number =>
  Math.max(16, Math.min(wanted, openFiles() - reserved));

/** 1024, the usual soft limit, where /proc cannot be read. */
const openFiles = (): number => {
  try {
    const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return match?.[1] === 'unlimited' ? Infinity : Number(match?.[1] ?? 1024);
  } catch {
    return 1024;
  }
};
