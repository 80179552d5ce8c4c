import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { systemCode } from '#base/errors';
import { childReady } from '#wire/ready';

/** A process that says it serves, and is what it says. */
export type Serving = {
  pid: number;
  uid: number;
  groups: number[];
  addresses: Record<string, string>;
};

/** What a process says is short; one that was taken over may write anything. */
const longestWord = 64 * 1024;

/**
 * What a unit's process says in its ready file, if it is one of ours that lives: the file may name no process of another
 * user than its owner.
 * @returns `null` while it does not serve
 */
export const servingBy = (readyFile: string): Serving | null => {
  const word = readSmall(readyFile);
  if (word === null) return null;
  const said = childReady.safeParse(parsed(word.text));
  if (!said.success) return null;
  const { pid, addresses } = said.data;
  const status = statusOf(pid);
  const uids = (status.get('Uid') ?? '').split('\t').map(Number);
  if (!uids.includes(word.owner)) return null;
  const groups = (status.get('Groups') ?? '').split(' ').filter(Boolean).map(Number);
  return { pid, uid: word.owner, groups, addresses };
};

/** Never follows a link, and never waits on a pipe. */
const readSmall = (file: string): { text: string; owner: number } | null => {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === null) throw error;
    return null;
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.size > longestWord) return null;
    const bytes = Buffer.alloc(longestWord);
    return { text: bytes.toString('utf8', 0, readSync(descriptor, bytes)), owner: found.uid };
  } finally {
    closeSync(descriptor);
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const statusOf = (pid: number): Map<string, string> => {
  try {
    return new Map(
      readFileSync(`/proc/${pid}/status`, 'utf8')
        .split('\n')
        .map((line) => [line.split(':')[0] ?? '', line.split(':')[1]?.trim() ?? '']),
    );
  } catch {
    return new Map();
  }
};
