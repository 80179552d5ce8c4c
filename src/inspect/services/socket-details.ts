import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Enter } from './enter.ts';

/** What /proc does not tell of a listening or unconnected TCP or UDP socket. */
export type SocketDetails = {
  /** IPV6_V6ONLY; `null` for IPv4. */
  v6only: boolean | null;
  /** SO_BINDTODEVICE: it takes what comes in there alone. */
  device: string | null;
};

/**
 * By socket inode, for the listening sockets on these ports of a network namespace. ss(8) gets it over netlink (INET_DIAG_SKV6ONLY, `idiag_if`),
 * which Node cannot speak. Without `-p` that takes a few milliseconds on any host, so it runs while descriptors are read.
 *
 * @throws if ss (iproute2) or nsenter is missing or refuses
 */
export const askDetails = async (
  enter: Enter,
  ports: ReadonlySet<number>,
): Promise<Map<number, SocketDetails>> => {
  // A long expression costs more than it saves.
  const filter = ports.size > 64 ? [] : [`( ${[...ports].map((port) => `sport = :${port}`).join(' or ')} )`];
  const [program = '', ...rest] = [...enter, 'ss', '-H', '-l', '-n', '-t', '-u', '-e', ...filter];
  const { stdout } = await promisify(execFile)(program, rest, { timeout: 5_000, maxBuffer: 64 << 20 });
  return parseDetails(stdout);
};

/** Lines of `ss -l -n -e`: `tcp LISTEN 0 128 [::]%eth0:22 [::]:* ino:123 sk:1 v6only:1 <->`. */
export const parseDetails = (text: string): Map<number, SocketDetails> => {
  const details = new Map<number, SocketDetails>();
  for (const line of text.split('\n')) {
    const inode = / ino:(\d+) /.exec(line)?.[1];
    if (inode === undefined) continue;
    const [, , , , local = ''] = line.split(/ +/);
    const [address = ''] = local.split(/:[^:]*$/);
    const flag = /\bv6only:([01])/.exec(line)?.[1];
    details.set(Number(inode), {
      v6only: flag === undefined ? null : flag === '1',
      // A link-local address always comes with its interface.
      device: /^\[?fe[89ab]/i.test(address) ? null : (/%([^\]]+)$/.exec(address)?.[1] ?? null),
    });
  }
  return details;
};
