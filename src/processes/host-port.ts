import { isIPv6 } from 'node:net';

export type HostPort = { host: string; port: number };

/** What `HOST:PORT` means, in words for a message. */
export const hostPortForm = 'HOST:PORT (an IPv6 address goes in brackets: [::1]:5514)';

/** `127.0.0.1:514`, `[::1]:514`, `localhost:514`. @returns `null` for anything else */
export const parseHostPort = (text: string): HostPort | null => {
  const match = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const [, v6, other, digits] = match ?? [];
  const port = Number(digits ?? Number.NaN);
  if (match === null || port > 65_535 || (v6 !== undefined && !isIPv6(v6.split('%')[0] ?? ''))) return null;
  return { host: v6 ?? other ?? '', port };
};
