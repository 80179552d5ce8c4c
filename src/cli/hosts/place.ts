import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { systemCode } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { ready as readySchema, type Ready } from '#wire/ready';
import { CliError } from '../errors.ts';

export type Place = { host: string; port: number };

/** `HOST:PORT`; an IPv6 address in brackets. @returns `null` for anything else */
export const parsePlace = (text: string): Place | null => {
  const [, v6, other, digits] = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits ?? 0);
  const host = v6 ?? other ?? '';
  return port < 1 || port > 65_535 || (v6 !== undefined && !isIPv6(v6)) ? null : { host, port };
};

export const shownPlace = ({ host, port }: Place): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** @throws CliError `usage` */
export const placeOf = (flag: string, given: string): Place => {
  const place = parsePlace(given);
  if (place !== null) return place;
  throw new CliError('usage', `${flag}: '${given}' is not HOST:PORT (an IPv6 address goes in brackets)`);
};

/** What runs on this state directory; `null` where nothing does. */
export const readReady = ({ readyFile }: StateDirectory): Ready | null => {
  try {
    return readySchema.parse(JSON.parse(readFileSync(readyFile, 'utf8')));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new CliError('could-not-look', `cannot read ${readyFile}: ${String(error)}`, { cause: error });
  }
};
