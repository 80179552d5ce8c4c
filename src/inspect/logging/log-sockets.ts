import { readlinkSync } from 'node:fs';
import { textOf } from '../host.ts';
import type { OpenFiles } from './open-files.ts';
import type { SyslogSocket, UdpLoss } from './report.ts';

/** Daemons whose UDP sockets carry log lines. */
const logDaemons = /^(?:rsyslogd|syslog-ng|systemd-journald|fluent-bit|vector|promtail|alloy|nxlog)$/;

/**
 * `/dev/log` is a socket, or a link to journald's; /proc/net/unix tells whether somebody has it open. It tells so for
 * every process, whichever of them may be seen.
 */
export const examineSyslogSocket = (root: string, proc: string, open: OpenFiles): SyslogSocket => {
  const names = new Set(['/dev/log']);
  try {
    names.add(readlinkSync(`${root}/dev/log`));
  } catch {
    // no link: a socket of its own, or nothing
  }
  const table = textOf(`${proc}/net/unix`);
  if (table === null) return { path: '/dev/log', listening: null, heldBy: null };
  for (const line of table.split('\n')) {
    const [, , , , , , inode, path] = line.trim().split(/\s+/);
    if (path !== undefined && names.has(path))
      return { path: '/dev/log', listening: true, heldBy: open.sockets.get(Number(inode))?.name ?? null };
  }
  return { path: '/dev/log', listening: false, heldBy: null };
};

/** The last column of /proc/net/udp and udp6: datagrams that found the receive buffer full (proc_net(5)). */
export const udpLosses = (proc: string, open: OpenFiles): UdpLoss[] =>
  ['udp', 'udp6'].flatMap((table) =>
    (textOf(`${proc}/net/${table}`) ?? '')
      .split('\n')
      .slice(1)
      .flatMap((line): UdpLoss[] => {
        const columns = line.trim().split(/\s+/);
        const dropped = Number(columns[12] ?? 0);
        const holder = open.sockets.get(Number(columns[9]));
        if (!(dropped > 0) || holder === undefined || !logDaemons.test(holder.name)) return [];
        const port = Number.parseInt(columns[1]?.split(':')[1] ?? '0', 16);
        return [{ address: `${table} port ${port}`, heldBy: holder.name, dropped }];
      }),
  );
