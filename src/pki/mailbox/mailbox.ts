import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { readSmallFile } from '#base/small-file';
import { makeFile, mostBytes, names } from './small-file.ts';

/** One request, as it was put there. `null` for bytes: it is no small file. */
export type Asked = { id: string; bytes: Buffer | null };

/** The answering side of a directory of requests. */
export type Mailbox = {
  /** A request that waits, or `null`. It is the next one again until it is answered. */
  next(): Promise<Asked | null>;
  /** Only then is the request gone. Where something lies in the way that cannot be removed, it is said, and passed over from then on. */
  answer(id: string, bytes: Uint8Array): Promise<void>;
  /** Removes what nobody comes for any more. */
  sweep(): Promise<void>;
};

export type MailboxOptions = {
  /** Of answers: who may read them. */
  mode: number;
  clock: Clock;
  log: OwnLog;
};

const staleMs = 10 * 60_000;
/** What others, who may put things here too, can bring about. */
const inTheWay = ['EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST', 'ELOOP', 'EACCES', 'EPERM'];
const pattern = /^[0-9a-f]{16}\.ask$/;

export const openMailbox = (directory: string, { mode, clock, log }: MailboxOptions): Mailbox => {
  const passedOver = new Set<string>();
  const at = (name: string): string => join(directory, name);
  return {
    async next() {
      for (const name of await readdir(directory)) {
        if (!pattern.test(name) || passedOver.has(name)) continue;
        try {
          return { id: name.slice(0, 16), bytes: await readSmallFile(at(name), mostBytes) };
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
      try {
        for (const name of [answering, answer]) await rm(at(name), { recursive: true, force: true });
        await makeFile(at(answering), bytes, mode);
        await rename(at(answering), at(answer));
        await rm(at(asked), { recursive: true, force: true });
      } catch (error) {
        if (!inTheWay.includes(systemCode(error) ?? '')) throw error;
        passedOver.add(asked);
        log('warning', `the request ${at(asked)} is passed over: ${messageOf(error)}`);
      }
    },
    async sweep() {
      const there = await readdir(directory);
      let left = 0;
      let why = '';
      for (const name of there) {
        const found = await lstat(at(name)).catch(() => null);
        if (found === null || clock.now() / 1000 - found.mtimeMs <= staleMs) continue;
        try {
          await rm(at(name), { recursive: true, force: true });
        } catch (error) {
          if (!inTheWay.includes(systemCode(error) ?? '')) throw error;
          left += 1;
          why = messageOf(error);
        }
      }
      for (const name of passedOver) if (!there.includes(name)) passedOver.delete(name);
      if (left > 0) log('warning', `${left} old of what lies in ${directory} cannot be removed: ${why}`);
    },
  };
};
