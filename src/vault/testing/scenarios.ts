import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros } from '#base/clock';
import { openInbox, type KeeperRequest } from '#vault/request';
import { openAppender } from '../append/appender.ts';
import { startSequencer } from '../append/sequencer.ts';
import { encodeRequest, parseAnswer } from '../request/request.ts';
import type { Scenario } from './fault-run.ts';
import { watchCalls } from './faulty-calls.ts';
import { beats, delivery, inMemory, newTestVault, openTest, type TestVault } from './test-vault.ts';

/** Lines of two senders, one of whom numbers, as one intake file each. */
const receiveSome = (made: TestVault, about: string): void => {
  made.receive(
    delivery(`${about} one\n${about} two\n`),
    delivery(`${about} three\n`, { peer: 'other', stream: 's', sequence: 7 }),
  );
  made.receive(delivery(`${about} four\n\r\n${about} \0 five\n`, { tlsName: 'a.example' }));
};

const keepSome =
  (about: string) =>
  async (made: TestVault): Promise<void> => {
    receiveSome(made, about);
    await made.keep();
  };

/** A log of `size` entries in two commits, so that there are partial tiles which the next full one replaces. */
const grownTo = async (size: number): Promise<TestVault> => {
  const made = newTestVault(inMemory());
  const appender = await openTest(made);
  await appender.commit(beats(size - 1), '');
  await appender.commit(beats(1), '');
  appender.close();
  return made;
};

/** Time that passes quickly, so that a keeper commits more often than twice a second. */
const speed = 25;

/** One life with several commits, while a receiver goes on. */
const live = async (made: TestVault): Promise<void> => {
  const clock = { ...made.clock, elapsed: () => made.clock.elapsed() * speed };
  const appender = await openAppender({ vault: made.vault, keys: made.keys, clock, patienceMs: 0 });
  const { intake } = made;
  const sequencer = startSequencer({ appender, intake, clock, host: 'test', log: () => undefined });
  const keeper = { hasEnded: false };
  sequencer.ended.catch(() => {
    keeper.hasEnded = true;
  });
  try {
    for (const about of ['first', 'second', 'third']) {
      const name = made.receive(delivery(`${about} alpha\n`), delivery(`${about} beta\n${about} gamma\n`));
      const until = Date.now() + 60_000;
      while (!keeper.hasEnded && !appender.intake().includes(`reading ${name} `)) {
        assert.ok(Date.now() < until, `${name} was not taken within 60 s`);
        await sleep(3);
      }
    }
    await sequencer.stop();
  } finally {
    appender.close();
  }
};

/** What is asked next, given the entries that stand for what was asked before. */
type Ask = (done: readonly number[]) => KeeperRequest;

/** Asks a keeper for one thing after another, with more lines between them, and waits for what the dead have left. */
const asked =
  (asks: readonly Ask[]) =>
  async (made: TestVault): Promise<void> => {
    const clock = { ...made.clock, elapsed: () => made.clock.elapsed() * speed };
    const { vault, keys, intake } = made;
    const appender = await openAppender({ vault, keys, clock, patienceMs: 0 });
    const keeper = { hasEnded: false };
    const done: number[] = [];
    try {
      const inbox = await openInbox(keys, { fate: appender.fate });
      const sequencer = startSequencer({
        appender,
        intake,
        clock,
        host: 'test',
        log: () => undefined,
        inbox,
      });
      sequencer.ended.catch(() => {
        keeper.hasEnded = true;
      });
      const directory = join(keys, 'requests');
      await untilAnswered(directory, keeper);
      for (const [i, ask] of asks.entries()) {
        if (keeper.hasEnded) break;
        made.receive(delivery(`before request ${i}\n`));
        // A newer file: the receiver is done with the other one, and what is removed can be gone from intake too.
        made.receive();
        const id = String(i).padStart(16, '0');
        // By renaming, as the command line does it.
        writeFileSync(join(intake, `${id}.asked.intake`), encodeRequest(ask(done)));
        renameSync(join(intake, `${id}.asked.intake`), join(directory, `${id}.json`));
        await untilAnswered(directory, keeper);
        done.push(entryOf(join(directory, `${id}.result.json`)));
      }
      await sequencer.stop();
    } finally {
      appender.close();
    }
  };

/** Index of the entry that stands for what was asked; 0 if it was not done. */
const entryOf = (path: string): number => {
  if (!existsSync(path)) return 0;
  const answer = parseAnswer(readFileSync(path));
  return answer.done ? answer.entry : 0;
};

const untilAnswered = async (directory: string, keeper: { hasEnded: boolean }): Promise<void> => {
  const isOpen = (): boolean =>
    readdirSync(directory).some((name) => /^[0-9a-f]{16}\.(?:json|taken)$/.test(name));
  const until = Date.now() + 60_000;
  while (!keeper.hasEnded && isOpen()) {
    assert.ok(Date.now() < until, 'a request was not answered within 60 s');
    await sleep(3);
  }
};

/** What a keeper leaves that dies in its only life at the call of this name. */
const diedAt = async (size: number, name: RegExp): Promise<TestVault> => {
  const made = await grownTo(size);
  receiveSome(made, 'before');
  let isDead = false;
  const watch = watchCalls(made.root, (call) => {
    isDead ||= name.test(call.name);
    return isDead ? { how: 'fail', code: 'EIO' } : 'run';
  });
  await assert.rejects(made.keep());
  watch.end();
  return made;
};

/** Of a log whose first two entries are a restart and a batch of three lines. */
const asks: readonly Ask[] = [
  () => ({ kind: 'hold', entries: { first: 0, end: 1 }, reason: 'a case', by: 'alice' }),
  ([hold = 0]) => ({ kind: 'release', hold, reason: 'the case is closed', by: 'bob' }),
  () => ({ kind: 'redact', entry: 1, line: 2, reason: 'a password', by: 'alice' }),
  () => ({ kind: 'redact', entry: 1, line: 3, reason: 'another one', by: 'alice' }),
  () => ({
    kind: 'expire',
    entries: { first: 0, end: 2 },
    class: 'default',
    policy: 'older-than-1d',
    before: micros(1_779_000_000_000_000),
    by: 'carol',
  }),
  () => ({ kind: 'rotate-key', reason: 'the yearly one', by: 'alice' }),
];

/** Hold, release, redaction, expiry and a new key, with what a keeper that died left of them done by the next. */
export const askedScenario: Scenario = {
  name: 'a keeper is asked',
  begin: async () => {
    const made = newTestVault(inMemory());
    receiveSome(made, 'a');
    await made.keep();
    return made;
  },
  steps: [asked(asks), asked([])],
  finish: asked([]),
  isTimed: true,
};

export const scenarios: readonly Scenario[] = [
  {
    name: 'a log begins',
    begin: () => Promise.resolve(newTestVault(inMemory())),
    steps: [keepSome('a'), keepSome('b'), (made) => made.keep()],
  },
  {
    name: 'a tile is filled',
    begin: () => grownTo(254),
    steps: [keepSome('a'), keepSome('b')],
  },
  {
    name: 'a keeper at work',
    begin: () => grownTo(253),
    steps: [live],
  },
  {
    name: 'a commit is completed after a crash',
    begin: () => diedAt(255, /^mkdir vault\/tile\//),
    steps: [(made) => made.keep()],
  },
  {
    name: 'a commit is undone after a crash',
    begin: () => diedAt(255, /^rename keys\/lock$/),
    steps: [(made) => made.keep()],
  },
  askedScenario,
];
