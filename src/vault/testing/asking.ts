import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openInbox, type KeeperAnswer, type KeeperRequest } from '#vault/request';
import { openAppender } from '../append/appender.ts';
import { startSequencer, type Sequencer } from '../append/sequencer.ts';
import type { TestVault } from './test-vault.ts';

/** Time that passes quickly, so that a keeper commits more often than twice a second. */
const speed = 25;

/** A keeper that takes requests, for as long as `act` runs. */
export const whileKept = async (
  made: TestVault,
  act: (keeper: Sequencer) => Promise<void>,
  step?: (what: string) => void,
): Promise<void> => {
  const { vault, keys, intake } = made;
  const clock = { ...made.clock, elapsed: () => made.clock.elapsed() * speed };
  const faults = step === undefined ? {} : { step };
  const appender = await openAppender({ vault, keys, clock, patienceMs: 0, ...faults });
  try {
    const inbox = await openInbox(keys, { fate: appender.fate, ...faults });
    const sequencer = startSequencer({
      appender,
      intake,
      clock,
      host: 'test',
      log: () => undefined,
      inbox,
      ...faults,
    });
    await Promise.race([act(sequencer), sequencer.ended]);
    await sequencer.stop();
  } finally {
    appender.close();
  }
};

/** Puts a request where the keeper looks, as the command line does. @returns its id */
export const leaveRequest = ({ keys }: TestVault, request: KeeperRequest | string): string => {
  const id = randomBytes(8).toString('hex');
  const directory = join(keys, 'requests');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(directory, `${id}.json`),
    typeof request === 'string' ? request : JSON.stringify(request),
  );
  return id;
};

export const answerTo = ({ keys }: TestVault, id: string): KeeperAnswer | null => {
  const path = join(keys, 'requests', `${id}.result.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
};

/** Asks a keeper of its own, which ends when it has answered. */
export const ask = async (
  made: TestVault,
  request: KeeperRequest | string,
  step?: (what: string) => void,
): Promise<KeeperAnswer> => {
  const id = leaveRequest(made, request);
  await whileKept(made, () => answered(made, id), step);
  const answer = answerTo(made, id);
  if (answer === null) throw new Error('the keeper ended without an answer');
  return answer;
};

export const answered = async (made: TestVault, id: string): Promise<void> => {
  for (const end = Date.now() + 60_000; answerTo(made, id) === null;) {
    if (Date.now() > end) throw new Error('no answer within 60 s');
    await sleep(3);
  }
};
