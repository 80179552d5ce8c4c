import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Enter } from './enter.ts';

const separator = '\u0001holdfast\u0001';

/**
 * Files of /proc/net in a namespace that no process is in, by sending a shell into it: /proc/self/net follows the reader.
 * @throws where it cannot be entered
 */
export const readInside = async (enter: Enter, files: readonly string[]): Promise<Map<string, string>> => {
  const script = `for file in "$@"; do printf '${separator}%s\\n' "$file"; cat "/proc/self/net/$file" 2>/dev/null; done; :`;
  const [program = '', ...before] = enter;
  const { stdout } = await promisify(execFile)(program, [...before, 'sh', '-c', script, 'sh', ...files], {
    encoding: 'latin1',
    maxBuffer: 256 << 20,
    timeout: 10_000,
  });
  const texts = new Map<string, string>();
  for (const part of stdout.split(separator).slice(1)) {
    const end = part.indexOf('\n');
    if (end + 1 < part.length) texts.set(part.slice(0, end), part.slice(end + 1));
  }
  return texts;
};

/** Names of the interfaces in the text of /proc/net/dev. */
export const interfaceNames = (text: string): string[] =>
  [...text.matchAll(/^ *([^\s:]+):/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]));

/** Interface names by index, as far as /proc/net/dev_mcast and /proc/net/if_inet6 tell. */
export const interfaceIndexes = (devMcast: string | null, ifInet6: string | null): Map<number, string> => {
  const names = new Map<number, string>();
  for (const line of (devMcast ?? '').split('\n')) {
    const [index, name] = line.trim().split(/\s+/);
    if (name !== undefined) names.set(Number(index), name);
  }
  for (const line of (ifInet6 ?? '').split('\n')) {
    const [, index, , , , name] = line.trim().split(/\s+/);
    if (name !== undefined) names.set(Number.parseInt(index ?? '', 16), name);
  }
  return names;
};
