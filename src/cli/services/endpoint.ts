import type { Listener, NetworkNamespace } from '#inspect';

/** `0.0.0.0:80`, `[::]:22 (IPv4 too)`, `/run/x.sock`: an endpoint as people write it. */
export const addressOf = ({
  protocol,
  address,
  port,
  v6only,
  device,
}: Pick<Listener, 'protocol' | 'address' | 'port' | 'v6only' | 'device'>): string => {
  const bracketed = address.includes(':') && port !== null ? `[${address}]` : address;
  const whole = port === null ? bracketed : `${bracketed}${device === null ? '' : `%${device}`}:${port}`;
  if (address !== '::' || protocol === 'raw') return whole;
  return `${whole} (${v6only === null ? 'IPv4 too: ?' : v6only ? 'IPv6 only' : 'IPv4 too'})`;
};

/** `docker web`, or what the namespace itself is called. */
export const placeOf = ({
  name,
  inode,
  container,
}: Pick<NetworkNamespace, 'name' | 'inode' | 'container'>): string =>
  container === null
    ? (name ?? `net:${inode ?? '?'}`)
    : `${container.manager} ${container.name ?? container.id?.slice(0, 12) ?? '?'}`;

/**
 * Whether somebody who has written `wanted` means this door: a port, `tcp/80`, an address with its port, a path, or the
 * name of its program, package or unit.
 */
export const isMeant = (listener: Listener, wanted: string): boolean => {
  const { protocol, address, port, processes } = listener;
  const names = [
    port === null ? address : String(port),
    `${protocol}/${port ?? address}`,
    `${address}:${port ?? ''}`,
    `[${address}]:${port ?? ''}`,
    listener.socketUnit,
    ...processes.flatMap(({ exe, unit, package: name }) => [
      exe,
      exe?.slice(exe.lastIndexOf('/') + 1),
      unit,
      unit?.replace(/\.service$/, ''),
      name,
    ]),
  ];
  return names.includes(wanted);
};
