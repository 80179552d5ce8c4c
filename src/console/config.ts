import { readFile, stat } from 'node:fs/promises';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { messageOf } from '#base/errors';
import { ConsoleError } from './errors.ts';

/**
 * The console's configuration, as `holdfast up` or a unit passes it. It is world-readable (argv), so the token itself
 * lies in a file.
 */
export const consoleConfig = z.strictObject({
  /** State directory; the console reads `run/` and the public parts of `vault/` and `keys/`. */
  state: z.string().min(1),
  host: z.string().default('127.0.0.1'),
  /** 0 = any free port */
  port: z.int().min(0).max(65_535).default(8600),
  tokenFile: z.string().min(1),
});
export type ConsoleConfig = z.infer<typeof consoleConfig>;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * The page has no encryption of its own, so it is served to this machine alone.
 * @throws ConsoleError not-loopback
 */
export const requireLoopback = (host: string): void => {
  if (host === 'localhost') return;
  if ((isIPv4(host) && loopback.check(host, 'ipv4')) || (isIPv6(host) && loopback.check(host, 'ipv6')))
    return;
  throw new ConsoleError(
    'not-loopback',
    `the console serves loopback addresses only, not ${host}; use 127.0.0.1 and reach it from elsewhere through ssh -L`,
  );
};

const shortestToken = 22;

/**
 * The secret that opens the first session: one line, at least 22 characters (128 bits in base64url).
 * @throws ConsoleError token-unusable
 */
export const readToken = async (file: string): Promise<string> => {
  const remedy =
    'start the console through "holdfast up", or write a random token of 22 or more characters, mode 0600';
  let token: string;
  let mode: number;
  try {
    mode = (await stat(file)).mode;
    token = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new ConsoleError(
      'token-unusable',
      `the console's token ${file} cannot be read (${messageOf(error)}); ${remedy}`,
      {
        cause: error,
      },
    );
  }
  if ((mode & 0o007) !== 0) {
    throw new ConsoleError(
      'token-unusable',
      `the console's token ${file} is open to every user of this host; ${remedy}`,
    );
  }
  if (token.length < shortestToken || /\s/.test(token)) {
    throw new ConsoleError(
      'token-unusable',
      `the console's token ${file} is too short or has blanks in it; ${remedy}`,
    );
  }
  return token;
};
