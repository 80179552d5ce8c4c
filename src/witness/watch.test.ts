import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { openCosignature } from '#vault/checkpoint';
import { parsePlace } from './http.ts';
import { originHash } from './layout.ts';
import { openPublisher } from './publisher.ts';
import { parseSubmission } from './submission.ts';
import {
  newTestLog,
  newTestWitness,
  startTestPublisher,
  type TestLog,
  type TestPublisher,
  type TestWitness,
} from './testing/test-log.ts';
import { openWatcher, startWatching, type Watcher } from './watch.ts';
import type { Witness } from './witness.ts';

type Watched = TestWitness & {
  log: TestLog;
  publisher: TestPublisher;
  witness: Witness;
  watcher: Watcher;
  evidence(): string[];
};

const watch = async (t: TestContext): Promise<Watched> => {
  const log = newTestLog();
  const made = await newTestWitness(t, log);
  const publisher = await startTestPublisher(t, log);
  const witness = await made.open();
  t.after(() => witness.close());
  const asked = openPublisher(parsePlace(publisher.url), log.origin, [log.vkey]);
  const directory = join(made.layout.evidence, originHash(log.origin));
  return {
    ...made,
    log,
    publisher,
    witness,
    watcher: openWatcher(witness, asked, log.origin, made.clock),
    evidence: () => readdirSync(directory).map((name) => readFileSync(join(directory, name)).toString()),
  };
};

describe('a witness that asks', () => {
  it('cosigns what is new, gives it back, and again when it has grown old', async (t) => {
    const { log, publisher, witness, watcher, clock } = await watch(t);
    for (const size of [0, 3, 8, 300]) {
      publisher.show(log, size);
      assert.equal(await watcher.look(), 'given');
      assert.equal(await watcher.look(), 'same');
      const { path, note } = publisher.given.at(-1) ?? { path: '', note: Buffer.alloc(0) };
      assert.equal(path, '/cosignature');
      assert.ok(note.toString().startsWith(log.note(size).toString()));
      assert.equal(openCosignature(note, witness.vkey), 1_700_000_000);
    }
    clock.set(1_700_000_061);
    assert.equal(await watcher.look(), 'given');
    assert.equal(
      openCosignature(publisher.given.at(-1)?.note ?? Buffer.alloc(0), witness.vkey),
      1_700_000_061,
    );
    assert.equal(publisher.given.length, 5);
  });

  it('gives again what did not arrive', async (t) => {
    const { log, publisher, watcher, witness } = await watch(t);
    publisher.show(log, 3);
    publisher.away('away');
    await assert.rejects(watcher.look(), { code: 'bad-answer' });
    publisher.away('here');
    await watcher.look();
    await witness.consider(parseSubmission(log.submission(3, 9)));
    assert.equal(await watcher.look(), 'suspicious', 'shown 3, remembered 9: looked at again first');
    publisher.show(log, 9);
    assert.equal(await watcher.look(), 'given');
    assert.equal(witness.stopped(log.origin), null);
  });

  it('is convinced by two roots at one size alone: keeps both notes, gives back its own and stops', async (t) => {
    const { log, publisher, watcher, witness, evidence, said } = await watch(t);
    publisher.show(log, 9);
    await watcher.look();
    const remembered = witness.seen(log.origin)?.note.toString();
    const fork = log.branch(4);
    publisher.show(fork, 9);
    assert.equal(await watcher.look(), 'stopped');
    assert.deepEqual(evidence().toSorted(), [remembered, fork.note(9).toString()].toSorted());
    const { path, note } = publisher.given.at(-1) ?? {};
    assert.deepEqual([path, note?.toString()], ['/contradiction', remembered]);
    assert.match(witness.stopped(log.origin) ?? '', /two roots at size 9/);
    assert.ok(said.some((line) => line.startsWith('error: ALARM')));
    publisher.show(log, 12);
    assert.equal(await watcher.look(), 'stopped', 'also when it shows the right one again');
    assert.equal(witness.seen(log.origin)?.head.size, 9);
    assert.equal(publisher.given.filter((one) => one.path === '/contradiction').length, 1);
  });

  for (const [what, show, why, kept] of [
    ['a smaller size', (log: TestLog): [TestLog, number] => [log, 5], /shows size 5, and 9/, 0],
    [
      'what it does not prove',
      (log: TestLog): [TestLog, number] => [log.branch(4), 20],
      /is not proven to continue/,
      1,
    ],
  ] as const)
    it(`is suspended by ${what}, gives back its own note, and goes on by itself`, async (t) => {
      const { log, publisher, watcher, witness, evidence } = await watch(t);
      publisher.show(log, 9);
      await watcher.look();
      const remembered = witness.seen(log.origin)?.note.toString();
      publisher.show(...show(log));
      assert.equal(await watcher.look(), 'suspicious');
      for (let n = 0; n < 3; n++) assert.equal(await watcher.look(), 'suspended');
      assert.match(watcher.suspicion() ?? '', why);
      const handedIn = publisher.given.filter(({ path }) => path === '/contradiction');
      assert.deepEqual(
        handedIn.map(({ note }) => note.toString()),
        [remembered, remembered, remembered],
      );
      assert.equal(witness.stopped(log.origin), null, 'nothing is proven');
      assert.equal(kept === 0 ? 0 : evidence().length, kept);
      publisher.show(log, 12);
      assert.equal(await watcher.look(), 'given');
      assert.equal(watcher.suspicion(), null);
      assert.equal(witness.seen(log.origin)?.head.size, 12);
    });

  it('says ALARM once while it is suspended, also where nobody takes its note, and that it goes on', async (t) => {
    const { log, publisher, watcher, said } = await watch(t);
    publisher.show(log, 9);
    await watcher.look();
    publisher.refuse('contradictions');
    publisher.show(log, 5);
    const watching = startWatching({
      watcher,
      origin: log.origin,
      shown: publisher.url,
      every: 10,
      log: (severity, message) => void said.push(`${severity}: ${message}`),
      random: () => 0.5,
    });
    t.after(() => watching.stop());
    const line = (part: RegExp): number => said.filter((one) => part.test(one)).length;
    for (let waited = 0; line(/^error: ALARM/) === 0 && waited < 60_000; waited += 20) await wait(20);
    await wait(200);
    assert.equal(
      line(/^error: ALARM.*size 5, and 9.*could not be handed in: .*403 no\. It may be/),
      1,
      said.join('\n'),
    );
    publisher.show(log, 10);
    for (let waited = 0; line(/^info: .*goes on$/) === 0 && waited < 60_000; waited += 20) await wait(20);
    assert.equal(line(/^info: .*goes on$/), 1);
  });

  it('cosigns the candidate that is for all, and looks at the newest before it suspects an old one', async (t) => {
    const { log, publisher, watcher, witness } = await watch(t);
    publisher.show(log, 9);
    publisher.offer(7);
    assert.equal(await watcher.look(), 'given');
    assert.equal(witness.seen(log.origin)?.head.size, 7);
    // Somebody else brought a newer one.
    await witness.consider(parseSubmission(log.submission(7, 9)));
    for (let n = 0; n < 3; n++) assert.ok(['given', 'same'].includes(await watcher.look()));
    assert.equal(witness.seen(log.origin)?.head.size, 9);
    assert.ok(publisher.given.every(({ path }) => path === '/cosignature'));
    publisher.show(log, 8);
    assert.equal(await watcher.look(), 'suspicious', 'the newest is smaller too');
    assert.equal(await watcher.look(), 'suspended');
  });

  it('hands in what it remembers where it does not know the key of what is shown', async (t) => {
    const { log, publisher, watcher, witness } = await watch(t);
    publisher.show(log, 9);
    await watcher.look();
    publisher.show(newTestLog(log.origin), 5);
    await assert.rejects(watcher.look(), { code: 'bad-answer' });
    const { path, note } = publisher.given.at(-1) ?? {};
    assert.deepEqual([path, note], ['/contradiction', witness.seen(log.origin)?.note]);
  });

  it('does not take for a contradiction what the log did not sign, or what is no answer', async (t) => {
    const { log, publisher, watcher, witness } = await watch(t);
    publisher.show(log, 9);
    await watcher.look();
    for (const other of [newTestLog(log.origin), newTestLog('other.example/0')]) {
      publisher.show(other, 5);
      for (let n = 0; n < 3; n++) await assert.rejects(watcher.look(), { code: 'bad-answer' });
    }
    publisher.show(log, 12);
    assert.equal(await watcher.look(), 'given');
    assert.equal(witness.stopped(log.origin), null);
  });

  it('goes on by itself when a publisher was away, and says so once', async (t) => {
    const { log, publisher, watcher, said } = await watch(t);
    publisher.show(log, 9);
    publisher.away('away');
    const watching = startWatching({
      watcher,
      origin: log.origin,
      shown: publisher.url,
      every: 10,
      log: (severity, message) => void said.push(`${severity}: ${message}`),
      random: () => 0.5,
    });
    t.after(() => watching.stop());
    const cannot = (): number => said.filter((line) => line.startsWith('warning: cannot witness')).length;
    for (let waited = 0; cannot() === 0 && waited < 60_000; waited += 20) await wait(20);
    await wait(150);
    assert.equal(cannot(), 1, said.join('\n'));
    publisher.away('here');
    const again = (): boolean => said.some((line) => line.includes('answers again'));
    for (let waited = 0; !again() && waited < 60_000; waited += 20) await wait(20);
    assert.ok(again());
    assert.equal(publisher.given.length, 1);
    await watching.stop();
  });
});
