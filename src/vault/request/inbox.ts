import { chmod, lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { readSmallFile } from '#base/small-file';
import { newFate, openDurable, type Fate } from '#vault/durable';
import { VaultError } from '../errors.ts';
import {
  maxRequest,
  encodeAnswer,
  parseRequest,
  requestNames,
  type KeeperAnswer,
  type KeeperRequest,
} from './request.ts';

export type TakenRequest = { id: string; request: KeeperRequest };

/** The keeper's side of keys/requests/. */
export type RequestInbox = {
  /** The next request, which is the keeper's from then on: nobody can withdraw it. Those that make no sense are refused here. */
  next(): Promise<TakenRequest | null>;
  /** Whether a request is still there: its answer is not known to be durable. */
  isOpen(id: string): Promise<boolean>;
  /** Durable when it returns; only then is the request gone. */
  answer(id: string, answer: KeeperAnswer): Promise<void>;
};

const staleMs = 60 * 60 * 1000;
/** Requests looked at in one turn. */
const mostAtOnce = 64;

/**
 * Opens, and makes where it is missing, the directory through which the keeper is asked. It is the keeper's own and
 * closed to all but it and root, so whoever can write here may ask.
 * @throws VaultError `failed` where something else lies in its place; system errors
 */
export const openInbox = async (
  keys: string,
  { step, fate = newFate() }: { step?: (what: string) => void; fate?: Fate } = {},
): Promise<RequestInbox> => {
  const directory = join(keys, 'requests');
  await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error;
  });
  const found = await lstat(directory);
  if (!found.isDirectory() || found.uid !== process.geteuid?.())
    throw new VaultError(
      'failed',
      `${directory} is not the keeper's own directory: remove it, the keeper makes it again`,
    );
  await chmod(directory, 0o700);
  const durable = openDurable({ scratch: directory, fate, ...(step ? { step } : {}) });
  const path = (name: string): string => join(directory, name);
  await removeStale(directory, durable.remove);

  const answer = async (id: string, given: KeeperAnswer): Promise<void> => {
    const { asked, taken, result } = requestNames(id);
    await durable.write(path(result), encodeAnswer(given), 0o600);
    await durable.remove([path(asked), path(taken)]);
  };

  /** @returns why it cannot be taken, `null` if it is gone again */
  const take = async (name: string, id: string): Promise<KeeperRequest | string | null> => {
    const { taken } = requestNames(id);
    try {
      if (name !== taken) await rename(path(name), path(taken));
      const bytes = await readSmallFile(path(taken), maxRequest);
      return bytes === null ? 'it is no small file' : parseRequest(bytes);
    } catch (error) {
      return systemCode(error) === 'ENOENT' ? null : messageOf(error);
    }
  };

  return {
    answer,
    async isOpen(id) {
      const { asked, taken } = requestNames(id);
      const names = await readdir(directory);
      return names.includes(asked) || names.includes(taken);
    },
    async next() {
      const names = (await readdir(directory)).filter((name) => requestPattern.test(name)).sort();
      // What was taken before a crash comes first.
      const order = [...names.filter(isTaken), ...names.filter((name) => !isTaken(name))];
      for (const name of order.slice(0, mostAtOnce)) {
        const id = name.slice(0, 16);
        const request = await take(name, id);
        if (request === null) continue;
        if (typeof request !== 'string') return { id, request };
        await answer(id, {
          done: false,
          code: 'bad-request',
          message: `the request was refused: ${request}`,
        });
      }
      return null;
    },
  };
};

const requestPattern = /^[0-9a-f]{16}\.(?:json|taken)$/;

const isTaken = (name: string): boolean => name.endsWith('.taken');

/** Answers that nobody came for, and what was left of writing them. */
const removeStale = async (
  directory: string,
  remove: (paths: readonly string[]) => Promise<void>,
): Promise<void> => {
  const stale: string[] = [];
  for (const name of await readdir(directory)) {
    if (requestPattern.test(name)) continue;
    const found = await lstat(join(directory, name)).catch(() => null);
    if (found === null || found.isDirectory()) continue;
    if (Date.now() - found.mtimeMs > staleMs || name.startsWith('tmp-')) stale.push(join(directory, name));
  }
  if (stale.length > 0) await remove(stale);
};
