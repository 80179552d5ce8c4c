import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { micros, systemClock, type Clock } from '#base/clock';
import { startPushing } from '#courier';
import { connectOwn, selfLine } from '#ship/delivery';
import { startSequencer } from '#vault/append';
import { openCosignature, openCosigned, parseVkey } from '#vault/checkpoint';
import { openPublisher, openWatcher, parsePlace, startWatching, startWitnessServer } from '#witness';
import { openOwnLine } from '../../src/publish/own-line.ts';
import { startPublisher } from '../../src/publish/index.ts';
import { startReceiver } from '../../src/receive/index.ts';
import { stateDirectory } from '../../src/base/state.ts';
import { assertIntact, openTest, vaultFor } from '../../src/vault/testing/test-vault.ts';
import { newTestWitness, type TestLog } from '../../src/witness/testing/test-log.ts';

/** All periods are the product's own; only time passes so many times faster. */
const speed = 30;
const real = systemClock();
const fast: Clock = { now: () => micros(real.now()), elapsed: () => real.elapsed() * speed };
const everyMs = 60_000 / speed;

/** Simulated seconds that the log grows, and how old a witnessed checkpoint may be in the end. */
const runs = 330;
const oldest = 240;

test('two witnesses, one asking and one being asked, meet on one checkpoint of a log that never stands still', async (t) => {
  const made = vaultFor(t);
  const state = stateDirectory(made.root);
  for (const directory of [state.run, join(state.run, 'publisher'), state.feeds])
    mkdirSync(directory, { recursive: true });
  const quiet = { clock: real, log: () => undefined };
  const vkey = parseVkey(made.vkey);
  const log = { origin: vkey.name, vkey } as TestLog;
  const [asked, asking] = [await newTestWitness(t, log), await newTestWitness(t, log)];
  const witnesses = [await asked.open(), await asking.open()] as const;
  const vkeys = witnesses.map((one) => one.vkey);

  const appender = await openTest(made);
  const receiver = await startReceiver({
    state,
    listen: [],
    ...quiet,
    onFault(error) {
      throw error;
    },
  });
  const sequencer = startSequencer({
    appender,
    intake: state.intake,
    clock: fast,
    host: 'test',
    log: () => undefined,
    witnesses: { quorum: 2, witnesses: vkeys },
  });
  const publisher = await startPublisher({
    state,
    tcp: null,
    witnesses: [],
    clock: fast,
    log: () => undefined,
  });
  const place = parsePlace(`unix:${state.publishSocket}`);

  const server = await startWitnessServer({
    witness: witnesses[0],
    host: '127.0.0.1',
    port: 0,
    log: () => undefined,
  });
  const deliverer = await connectOwn({
    socket: state.ownSocket,
    sender: 'courier',
    stream: 'courier',
    spool: join(state.feeds, 'courier'),
    ...quiet,
  });
  const pushing = startPushing({
    publisher: (signal) => openPublisher(place, vkey.name, [vkey], signal),
    origin: vkey.name,
    logKeys: () => [vkey],
    witness: { vkey: vkeys[0] ?? assert.fail(), place: parsePlace(`http://127.0.0.1:${server.port}`) },
    every: everyMs,
    say(kind, fields) {
      const { meta, raw } = selfLine(real, kind, fields);
      return deliverer.send(meta, raw);
    },
    log: () => undefined,
  });
  // Half a period later, so that the newest checkpoint is another one each time.
  await wait(everyMs / 2);
  const watching = startWatching({
    watcher: openWatcher(witnesses[1], openPublisher(place, vkey.name, [vkey]), vkey.name, fast),
    origin: vkey.name,
    shown: place.shown,
    every: everyMs,
    log: () => undefined,
    random: Math.random,
  });

  const feed = openOwnLine({ socket: state.ownSocket, host: hostname(), newStream: () => 'feed' });
  const grown: { at: number; size: number }[] = [];
  const reached = new Set<number>();
  const witnessed = (): number => {
    try {
      const note = readFileSync(join(made.vault, 'checkpoint.witnessed'));
      for (const one of vkeys) assert.ok(openCosignature(note, one) > 0);
      return openCosigned(note, vkey).size;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
      throw error;
    }
  };
  const begun = fast.elapsed();
  const commits = (): number => new Set(grown.map((one) => one.size)).size;
  const then = () => grown.findLast(({ at }) => at < fast.elapsed() - oldest * 1000);
  const isSo = (): boolean => commits() > 40 && reached.size > 2 && witnessed() >= (then()?.size ?? Infinity);
  // On a busy machine all of it may take longer than it is to.
  while (fast.elapsed() - begun < runs * 1000 || (!isSo() && fast.elapsed() - begun < 6 * runs * 1000)) {
    await Promise.race([feed.send(Buffer.from('{"kind":"line"}')), sequencer.ended]);
    grown.push({ at: fast.elapsed(), size: appender.size() });
    reached.add(witnessed());
    await wait(200 / speed);
  }
  const size = witnessed();
  const before = then();

  await Promise.all([pushing.stop(), watching.stop()]);
  feed.close();
  await deliverer.close(500);
  await publisher.stop();
  await server.stop();
  await receiver.stop();
  await sequencer.stop();
  appender.close();
  for (const witness of witnesses) await witness.close();

  assert.ok(commits() > 40, `${commits()} commits: it grew all the time`);
  assert.ok(size > 0, 'a checkpoint became witnessed');
  assert.ok(
    before !== undefined && size >= before.size,
    `witnessed ${size}; ${before?.size} was the size ${oldest} s ago, ${appender.size()} is now`,
  );
  assert.ok(reached.size > 2, `witnessed sizes: ${[...reached].join(', ')}`);
  await assertIntact(made);
});
