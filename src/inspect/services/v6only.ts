import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Enter } from './enter.ts';

/**
 * IPV6_V6ONLY by socket inode for the listening IPv6 sockets of a network namespace. /proc does not have it; ss(8)
 * gets it over netlink (INET_DIAG_SKV6ONLY), which Node cannot speak. Without `-p` that takes a few milliseconds on
 * any host, so it runs while descriptors are read.
 *
 * @throws if ss (iproute2) or nsenter is missing or refuses
 */
export const askV6only = async (enter: Enter): Promise<Map<number, boolean>> => {
  const [program = '', ...rest] = [...enter, 'ss', '-H', '-6', '-l', '-n', '-t', '-u', '-e'];
  const { stdout } = await promisify(execFile)(program, rest, { timeout: 5_000, maxBuffer: 64 << 20 });
  return parseV6only(stdout);
};

/** Lines of `ss -6 -l -n -e`: `… [::]:22 [::]:* ino:123 sk:1 v6only:1 <->`. */
export const parseV6only = (text: string): Map<number, boolean> => {
  const flags = new Map<number, boolean>();
  for (const [, inode, flag] of text.matchAll(/ ino:(\d+) .*\bv6only:([01])/g)) {
    flags.set(Number(inode), flag === '1');
  }
  return flags;
};
