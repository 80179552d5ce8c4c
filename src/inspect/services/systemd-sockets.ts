import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';

/** A row of `systemctl list-sockets`. */
export type SystemdSocket = { listen: string; unit: string; activates: string | null };

/** What one manager listens on, since when each of its socket units does, and the command line that a unit starts. */
export type ManagerSockets = {
  sockets: SystemdSocket[];
  since: ReadonlyMap<string, string>;
  commands: ReadonlyMap<string, readonly string[]>;
};

/**
 * What systemd listens on for others.
 * @param manager the system's, or that of a user of this host, by id
 * @param booted when the machine started, in seconds since 1970
 * @throws if systemctl cannot be run or cannot reach the manager
 */
export const listSystemdSockets = async (
  manager: 'system' | number,
  booted: number | null,
): Promise<ManagerSockets> => {
  const which = manager === 'system' ? [] : ['--user', `--machine=${manager}@.host`];
  const ask = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('systemctl', [...which, ...args, '--no-pager'], {
      timeout: 5_000,
      maxBuffer: 16 << 20,
      env: { ...process.env, LC_ALL: 'C' },
    });
    return stdout;
  };
  const sockets = parseSystemdSockets(await ask('list-sockets', '--all', '--output=json'));
  const forNetwork = sockets.flatMap(({ listen, activates }) =>
    activates === null || !/^[[\d]/.test(listen) ? [] : [activates],
  );
  const properties = '--property=Id,ActiveEnterTimestampMonotonic,ExecStart';
  const shown = await ask('show', properties, '--', '*.socket', ...new Set(forNetwork));
  return {
    sockets,
    since: booted === null ? new Map() : parseSince(shown, booted),
    commands: parseCommands(shown),
  };
};

/** `systemctl list-sockets --output=json` (systemd ≥ 246): objects with listen, unit, activates. */
export const parseSystemdSockets = (text: string): SystemdSocket[] => {
  const rows: unknown = JSON.parse(text);
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown) => {
    if (typeof row !== 'object' || row === null || !('listen' in row) || !('unit' in row)) return [];
    const { listen, unit } = row;
    if (typeof listen !== 'string' || typeof unit !== 'string') return [];
    const activates = 'activates' in row && typeof row.activates === 'string' ? row.activates : null;
    return [{ listen, unit, activates }];
  });
};

/** When each unit became active, RFC 3339, from `Id=` and `ActiveEnterTimestampMonotonic=` (µs since the start). */
export const parseSince = (text: string, booted: number): Map<string, string> =>
  new Map(
    text.split('\n\n').flatMap((unit): [string, string][] => {
      const id = /^Id=(.*)$/m.exec(unit)?.[1];
      const after = Number(/^ActiveEnterTimestampMonotonic=(\d+)$/m.exec(unit)?.[1] ?? '0');
      return id === undefined || after === 0 ? [] : [[id, formatMicros(micros(booted * 1e6 + after))]];
    }),
  );

/** The first command line of each unit that has one, from `Id=` and `ExecStart={ path=… ; argv[]=… ; …}`. */
export const parseCommands = (text: string): Map<string, string[]> =>
  new Map(
    text.split('\n\n').flatMap((unit): [string, string[]][] => {
      const id = /^Id=(.*)$/m.exec(unit)?.[1];
      const words = /^ExecStart=\{ path=\S+ ; argv\[\]=(.*?) ; /m.exec(unit)?.[1]?.split(' ');
      return id === undefined || words === undefined ? [] : [[id, words]];
    }),
  );

/** The socket unit of an endpoint: by address and port, or by path for unix sockets. */
export const socketUnitOf = (
  sockets: readonly SystemdSocket[],
  address: string,
  port: number | null,
): SystemdSocket | null => {
  const listen =
    port === null ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return sockets.find((socket) => socket.listen === listen || isVsock(socket.listen, address, port)) ?? null;
};

/** `vsock::22`, `vsock:3:22` */
const isVsock = (listen: string, address: string, port: number | null): boolean =>
  listen === `vsock:${address === '*' ? '' : address}:${port ?? ''}`;
