import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemCode } from '#base/errors';
import { readSmallFile } from '#base/small-file';
import { RequestError } from './errors.ts';
import { heldLock } from './keeper-lock.ts';
import {
  maxRequest,
  encodeRequest,
  parseAnswer,
  requestNames,
  type KeeperAnswer,
  type KeeperRequest,
} from './request.ts';

export type SendOptions = {
  /** Directory `keys` of the state directory. */
  keys: string;
  /** A request that is not taken by then is withdrawn. Default 10 s. */
  takenWithinMs?: number;
  /** How long to wait for the answer to one that was taken. Default 10 min: an expiry may remove a million files. */
  answeredWithinMs?: number;
};

const pollMs = 50;
/** A supervisor needs about this long to start a keeper again. */
const restartMs = 1500;

/**
 * Asks the keeper and waits for its answer. For root, and for the user who runs Holdfast: nobody else can write there.
 * Every path goes through the directory's descriptor, so that nothing that is put in its place is followed.
 * @throws RequestError
 */
export const sendRequest = async (request: KeeperRequest, options: SendOptions): Promise<KeeperAnswer> => {
  const { keys } = options;
  const directory = await openRequests(keys);
  try {
    if (!(await isKept(keys))) throw notRunning(keys);
    const id = randomBytes(8).toString('hex');
    await handOver(directory, id, encodeRequest(request));
    return await waitFor(directory, id, options);
  } finally {
    await directory.close();
  }
};

const openRequests = async (keys: string): Promise<FileHandle> => {
  const path = join(keys, 'requests');
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') throw notRunning(keys);
    if (code === 'EACCES' || code === 'EPERM')
      throw new RequestError(
        'not-allowed',
        `${path} does not let you in: only root, and the user who runs Holdfast, may ask the keeper`,
        { cause: error },
      );
    throw new RequestError('unwritable', `cannot open ${path}: ${messageOf(error)}`, { cause: error });
  }
};

const notRunning = (keys: string): RequestError =>
  new RequestError(
    'not-running',
    `no keeper runs on the vault of ${keys}, so nobody can do it: start Holdfast with 'holdfast up'. Nothing was left behind`,
  );

/** A keeper locks keys/keeper.lock for as long as it lives. Where that cannot be told, it is asked all the same. */
const isKept = async (keys: string): Promise<boolean> => {
  const holder = join(keys, 'keeper.lock');
  for (const until = performance.now() + restartMs; ; await sleep(pollMs)) {
    const lock = await heldLock(holder).catch((error: unknown) => {
      throw new RequestError('not-allowed', `cannot look at ${holder}: ${messageOf(error)}`, {
        cause: error,
      });
    });
    if (lock !== 'free') return true;
    if (performance.now() >= until) return false;
  }
};

const inside = (directory: FileHandle, name: string): string => `/proc/self/fd/${directory.fd}/${name}`;

/** Whole, durable and the keeper's to read before it has the name that the keeper looks for. */
const handOver = async (directory: FileHandle, id: string, bytes: Buffer): Promise<void> => {
  const unfinished = inside(directory, `${id}.new`);
  try {
    const file = await open(
      unfinished,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      const { uid, gid } = await directory.stat();
      if (process.geteuid?.() === 0) await file.chown(uid, gid);
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, inside(directory, requestNames(id).asked));
    await directory.sync();
  } catch (error) {
    await unlink(unfinished).catch(() => undefined);
    throw new RequestError('unwritable', `cannot hand the request over: ${messageOf(error)}`, {
      cause: error,
    });
  }
};

const waitFor = async (
  directory: FileHandle,
  id: string,
  { keys, takenWithinMs = 10_000, answeredWithinMs = 600_000 }: SendOptions,
): Promise<KeeperAnswer> => {
  const { asked, result } = requestNames(id);
  const began = performance.now();
  let withdrawn = false;
  for (;;) {
    const answer = await readAnswer(inside(directory, result));
    if (answer !== null) {
      await unlink(inside(directory, result)).catch(() => undefined);
      return answer;
    }
    // Withdrawn, and no answer came in between.
    if (withdrawn) throw notRunning(keys);
    const waited = performance.now() - began;
    if (waited > takenWithinMs) withdrawn = await isRemoved(inside(directory, asked));
    if (waited > answeredWithinMs)
      throw new RequestError(
        'no-answer',
        `the keeper took the request and did not answer within ${Math.round(answeredWithinMs / 1000)} s. It may still do it: ` +
          `look with 'holdfast vault holds' and 'holdfast vault verify', and for ${join(keys, 'requests', result)}`,
      );
    await sleep(pollMs);
  }
};

const isRemoved = async (path: string): Promise<boolean> => {
  try {
    await unlink(path);
    return true;
  } catch {
    return false;
  }
};

const readAnswer = async (path: string): Promise<KeeperAnswer | null> => {
  try {
    const bytes = await readSmallFile(path, maxRequest);
    return bytes === null ? null : parseAnswer(bytes);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new RequestError('no-answer', `the keeper's answer does not read: ${messageOf(error)}`, {
      cause: error,
    });
  }
};
