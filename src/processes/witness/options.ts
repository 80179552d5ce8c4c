import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { CliError } from '#cli';
import { formatVkey, parseVkey, type Vkey } from '#vault/checkpoint';
import { parsePlace, witnessLayout, type Place, type WitnessLayout } from '#witness';
import { hostPortForm, parseHostPort, type HostPort } from '../host-port.ts';

/** The command line, as it was given. */
export type Given = {
  state: StateDirectory;
  keyFile: string | undefined;
  name: string | undefined;
  logs: readonly string[];
  listen: string | undefined;
  every: string;
};

/** Of one `--log`. */
export type WatchedLog = { vkey: Vkey; publisher: Place | null };

export const layoutOf = ({ state }: Given): WitnessLayout => witnessLayout(join(state.root, 'witness'));

export const keyFileOf = (given: Given): string => given.keyFile ?? layoutOf(given).key;

/**
 * `VKEY`, `VKEY=URL`, `FILE` or `FILE=URL`. A key ends with 44 characters of base64 that need no padding, so the first
 * equals sign after it begins the URL.
 * @throws CliError `usage`
 */
export const parseLog = (text: string): WatchedLog => {
  const [, key, url] =
    /^([^+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44})(?:=(.+))?$/.exec(text) ??
    /^([^=]+)(?:=(.+))?$/.exec(text) ??
    [];
  if (key === undefined) throw new CliError('usage', `--log: '${text}' is not VKEY or VKEY=URL`);
  try {
    const vkey = parseVkey(key.includes('+') ? key : readFileSync(key, 'utf8'));
    return { vkey, publisher: url === undefined ? null : parsePlace(url) };
  } catch (error) {
    throw new CliError(
      'usage',
      `--log: '${text}': ${messageOf(error)}. Give the log's public key (keys/vault.vkey at the log), or a file that holds it`,
      { cause: error },
    );
  }
};

/** As `parseLog` takes it, wherever it is started: the key itself, and no path that is relative. */
export const formatLog = ({ vkey, publisher }: WatchedLog): string => {
  const key = formatVkey(vkey.name, vkey.publicKey);
  if (publisher === null) return key;
  const { socketPath } = publisher.options;
  return `${key}=${typeof socketPath === 'string' ? `unix:${resolve(socketPath)}` : publisher.shown}`;
};

/** @throws CliError `usage` */
export const parseListen = (text: string): HostPort => {
  const listen = parseHostPort(text);
  if (listen === null) throw new CliError('usage', `--listen: '${text}' is not ${hostPortForm}`);
  return listen;
};

/** @returns milliseconds. @throws CliError `usage` */
export const parseEvery = (text: string): number => {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds < 0.1 || seconds > 86_400)
    throw new CliError('usage', `--every: '${text}' is not a number of seconds from 0.1 to 86400`);
  return seconds * 1000;
};
