import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemCode } from '#base/errors';
import { readSmallFile } from '#base/small-file';
import { PkiError } from '../errors.ts';
import { makeFile, mostBytes, names } from './small-file.ts';

export type AskOptions = {
  /** Default 10 s. */
  withinMs?: number;
  /** Mode of the request's file: who may read it. Default 0600. */
  mode?: number;
};

const pollMs = 30;

/**
 * Puts a request into a mailbox and waits for the answer. Asked by root, the request belongs to whoever has the mailbox.
 * @throws PkiError `not-running`: nobody took it, and it was withdrawn; `no-answer`; `not-allowed`; `unusable-file`
 */
export const ask = async (
  directory: string,
  request: Uint8Array,
  options: AskOptions = {},
): Promise<Buffer> => {
  const { withinMs = 10_000, mode = 0o600 } = options;
  const box = await openDirectory(directory);
  // By the descriptor: what is opened once is not another directory later.
  const at = (name: string): string => `/proc/self/fd/${box.fd}/${name}`;
  const id = randomBytes(8).toString('hex');
  const { unfinished, asked, answer } = names(id);
  try {
    await handOver(box, at, { unfinished, asked }, request, mode);
    const until = performance.now() + withinMs;
    for (let withdrawn = false; ; await sleep(pollMs)) {
      const bytes = await readAnswer(at(answer));
      if (bytes !== null) {
        await unlink(at(answer)).catch(() => undefined);
        return bytes;
      }
      if (withdrawn)
        throw new PkiError(
          'not-running',
          `nobody answers requests in ${directory}: the issuer is not running`,
        );
      if (performance.now() < until) continue;
      withdrawn = await isRemoved(at(asked));
      if (!withdrawn)
        throw new PkiError(
          'no-answer',
          `the issuer took the request and did not answer within ${withinMs} ms`,
        );
    }
  } finally {
    await box.close();
  }
};

const openDirectory = async (directory: string): Promise<FileHandle> => {
  try {
    return await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT')
      throw new PkiError('not-running', `there is no ${directory}: no issuer has ever run here`, {
        cause: error,
      });
    if (code === 'EACCES' || code === 'EPERM')
      throw new PkiError(
        'not-allowed',
        `${directory} does not let you in: only root, and the user who runs Holdfast, may ask the issuer`,
        { cause: error },
      );
    throw new PkiError('unusable-file', `cannot open ${directory}: ${messageOf(error)}`, { cause: error });
  }
};

/** It has the name that is looked for only when it is whole. */
const handOver = async (
  box: FileHandle,
  at: (name: string) => string,
  { unfinished, asked }: { unfinished: string; asked: string },
  request: Uint8Array,
  mode: number,
): Promise<void> => {
  try {
    const { uid, gid } = await box.stat();
    await makeFile(at(unfinished), request, mode, process.geteuid?.() === 0 ? { uid, gid } : null);
    await rename(at(unfinished), at(asked));
  } catch (error) {
    await unlink(at(unfinished)).catch(() => undefined);
    throw new PkiError('unusable-file', `cannot hand the request over: ${messageOf(error)}`, {
      cause: error,
    });
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

const readAnswer = async (path: string): Promise<Buffer | null> => {
  try {
    return await readSmallFile(path, mostBytes);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new PkiError('no-answer', `the issuer's answer does not read: ${messageOf(error)}`, {
      cause: error,
    });
  }
};
