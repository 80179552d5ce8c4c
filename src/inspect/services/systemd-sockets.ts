import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A row of `systemctl list-sockets`. */
export type SystemdSocket = { listen: string; unit: string; activates: string | null };

/** What systemd listens on for others. @throws if systemctl cannot be run or cannot reach systemd */
export const listSystemdSockets = async (): Promise<SystemdSocket[]> => {
  const { stdout } = await promisify(execFile)(
    'systemctl',
    ['list-sockets', '--all', '--output=json', '--no-pager'],
    { timeout: 5_000, env: { ...process.env, LC_ALL: 'C' } },
  );
  return parseSystemdSockets(stdout);
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

/** The socket unit of an endpoint: by address and port, or by path for unix sockets. */
export const socketUnitOf = (
  sockets: readonly SystemdSocket[],
  address: string,
  port: number | null,
): SystemdSocket | null => {
  const listen =
    port === null ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return sockets.find((socket) => socket.listen === listen) ?? null;
};
