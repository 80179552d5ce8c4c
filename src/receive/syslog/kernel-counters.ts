import { readFile } from 'node:fs/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Ledger } from '../ledger.ts';

/** Datagrams that the kernel could not hand over, since the network namespace was made (net/ipv4/proc.c). */
export type UdpErrors = { all: number; buffer: number; checksum: number };

/**
 * The counters of /proc/net/snmp (`Udp:`) and /proc/net/snmp6 (`Udp6…`) added up.
 * `all` (InErrors) has the others in it.
 */
export const udpErrorsIn = (snmp: string, snmp6: string): UdpErrors => {
  const [names = '', values = ''] = snmp.split('\n').filter((line) => line.startsWith('Udp: '));
  const at = (name: string): number => Number(values.split(' ')[names.split(' ').indexOf(name)] ?? 0) || 0;
  const six = (name: string): number =>
    Number(new RegExp(`^Udp6${name}\\s+(\\d+)$`, 'm').exec(snmp6)?.[1] ?? 0);
  return {
    all: at('InErrors') + six('InErrors'),
    buffer: at('RcvbufErrors') + six('RcvbufErrors'),
    checksum: at('InCsumErrors') + six('InCsumErrors'),
  };
};

/** Drops by socket (its inode) in /proc/net/udp or udp6; sockets without any are left out. */
export const dropsBySocket = (table: string): Map<string, number> => {
  const drops = new Map<string, number>();
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    const [inode, count] = [columns[9], Number(columns.at(-1))];
    if (inode !== undefined && count > 0) drops.set(inode, count);
  }
  return drops;
};

const watchMs = 1000;

/**
 * Holds what the host as a whole counts against what its sockets do. What no socket accounts for (a checksum that was
 * wrong before a socket was looked for) could have been for any listener, and is told as such.
 * @returns what ends it
 */
export const watchKernelCounters = async (ledger: Ledger, log: OwnLog): Promise<() => void> => {
  const sockets = new Map<string, number>();
  let blind = false;
  let told = 0;
  let before = 0;

  /** Errors that no socket accounts for, since the namespace was made. */
  const unaccounted = async (): Promise<number> => {
    // The sum first: a drop that comes between the two is then no error of nobody's.
    const errors = udpErrorsIn(
      await readFile('/proc/net/snmp', 'latin1'),
      await readFile('/proc/net/snmp6', 'latin1').catch(() => ''),
    );
    for (const path of ['/proc/net/udp', '/proc/net/udp6'])
      for (const [inode, drops] of dropsBySocket(await readFile(path, 'latin1').catch(() => '')))
        sockets.set(inode, Math.max(drops, sockets.get(inode) ?? 0));
    let seen = 0;
    for (const drops of sockets.values()) seen += drops;
    return errors.all - seen;
  };

  const look = async (): Promise<void> => {
    try {
      const now = await unaccounted();
      blind = false;
      // Seen twice: a socket that was closed between two looks takes what it had not shown yet with it.
      const sure = Math.min(now, before);
      before = now;
      if (sure > told) ledger.lost('udp errors of no socket', 'kernel', sure - told);
      told = Math.max(told, sure);
    } catch (error) {
      if (blind) return;
      blind = true;
      const why = messageOf(error);
      const remedy = 'let the receiver read /proc/net/snmp (systemd: ProcSubset=all)';
      ledger.say({ kind: 'could-not-look', listener: 'kernel', what: 'UDP errors of the host', why, remedy });
      log('warning', `could not look at the UDP errors of the host: ${why}. Remedy: ${remedy}`);
    }
  };

  try {
    told = before = await unaccounted();
  } catch {
    await look();
  }
  const timer = setInterval(() => void look(), watchMs);
  return () => clearInterval(timer);
};
