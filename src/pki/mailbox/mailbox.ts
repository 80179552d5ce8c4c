import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '#base/errors';
import { makeFile, names, readSmallFile } from './small-file.ts';

/** One request, as it was put there. `null` for bytes: it is no small file. */
export type Asked = { id: string; bytes: Buffer | null };

/** The answering side of a directory of requests. */
export type Mailbox = {
  /** A request that waits, or `null`. It is the next one again until it is answered. */
  next(): Promise<Asked | null>;
  /** Only then is the request gone. */
  answer(id: string, bytes: Uint8Array): Promise<void>;
  /** Removes what nobody comes for any more. */
  sweep(): Promise<void>;
};

const staleMs = 10 * 60_000;
const pattern = /^[0-9a-f]{16}\.ask$/;

/** @param mode of answers: who may read them */
export const openMailbox = (directory: string, mode: number): Mailbox => {
  const at = (name: string): string => join(directory, name);
  return {
    async next() {
      for (const name of await readdir(directory)) {
        if (!pattern.test(name)) continue;
        try {
          return { id: name.slice(0, 16), bytes: await readSmallFile(at(name)) };
        } catch (error) {
          // Withdrawn; a link is answered like anything that is no request.
          if (systemCode(error) !== 'ENOENT') return { id: name.slice(0, 16), bytes: null };
        }
      }
      return null;
    },
    async answer(id, bytes) {
      const { asked, answering, answer } = names(id);
      // Others may put files here: what lies in the way is theirs, and goes.
      await rm(at(answering), { recursive: true, force: true });
      await makeFile(at(answering), bytes, mode);
      await rename(at(answering), at(answer));
      await rm(at(asked), { recursive: true, force: true });
    },
    async sweep() {
      for (const name of await readdir(directory)) {
        const found = await lstat(at(name)).catch(() => null);
        if (found !== null && Date.now() - found.mtimeMs > staleMs)
          await rm(at(name), { recursive: true, force: true });
      }
    },
  };
};
