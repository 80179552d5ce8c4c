import { readFileSync } from 'node:fs';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { selfLine, type Deliverer } from '#ship/delivery';
import type { ReadRecord } from '#wire/reader';
import { userName as nameOfUnit } from './units/users.ts';
import { accounts, type AccountName } from './up/accounts.ts';

/** After so long an answer no longer waits for the disk. */
const diskWithinMs = 2000;
/** Records that may wait in memory for a disk that is full. */
const mostWaiting = 1000;

/**
 * Keeps who read what: a line `{"kind":"read",…}` of Holdfast's own (ReadRecord in src/wire/reader.ts, and the user's name).
 *
 * It resolves when the line is durable in the spool. Where the disk is full, reads are not forbidden, as whoever looks for
 * what fills it has to read: up to a thousand records wait in memory, each is said in the process's own log at once, and
 * all are kept as soon as there is space.
 * @returns rejects where a record cannot be kept, and is not to be answered
 */
export const recordReads = (
  deliverer: Pick<Deliverer, 'send'>,
  clock: Clock,
  log: OwnLog,
): ((record: ReadRecord) => Promise<void>) => {
  let waiting = 0;
  let behind = false;
  return async (record) => {
    const user = userName(record.uid);
    const fields = { ...record, ...(user === null ? {} : { user }) };
    const { meta, raw } = selfLine(clock, 'read', fields);
    if (waiting >= mostWaiting)
      throw new Error(`${waiting} records of reads wait for the disk already; make room on it`);
    waiting += 1;
    const kept = deliverer.send(meta, raw).finally(() => (waiting -= 1));
    kept.then(
      () => (behind = false),
      () => undefined,
    );
    if ((await Promise.race([kept, after(behind ? 0 : diskWithinMs)])) !== 'late') return;
    behind = true;
    kept.catch((error: unknown) =>
      log('error', `a read was answered and is not in the log: ${messageOf(error)}`),
    );
    log('warning', `not on disk yet, which is full or slow: ${raw.toString()}`);
  };
};

const after = (ms: number): Promise<'late'> =>
  new Promise((resolve) => void setTimeout(() => resolve('late'), ms).unref());

/** The name in /etc/passwd, or of one of `up`'s own processes; `null` for users that are known elsewhere. */
const userName = (uid: number): string | null => {
  const own = (Object.keys(accounts) as AccountName[]).find((name) => accounts[name].uid === uid);
  if (own !== undefined) return nameOfUnit(own);
  try {
    const entry = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((line) => line.split(':')[2] === String(uid));
    return entry?.split(':')[0] ?? null;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
};
