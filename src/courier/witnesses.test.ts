import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { parseCheckpoint, type WitnessVkey } from '#vault/checkpoint';
import { openPublisher, parsePlace, startWitnessServer } from '#witness';
import { parseSubmission } from '../witness/submission.ts';
import {
  newTestLog,
  newTestWitness,
  startTestPublisher,
  type TestLog,
  type TestPublisher,
} from '../witness/testing/test-log.ts';
import { startPushing, type Pushing } from './witnesses.ts';

type Said = { kind: string; fields: Record<string, unknown> };

/** Pushes from a publisher of its own until it has said something. */
const push = (
  t: TestContext,
  log: TestLog,
  publisher: TestPublisher,
  witness: { vkey: WitnessVkey; url: string },
): { said: Said[]; warned: string[]; pushing: Pushing; first(): Promise<Said> } => {
  const said: Said[] = [];
  const warned: string[] = [];
  const pushing = startPushing({
    publisher: (signal) => openPublisher(parsePlace(publisher.url), log.origin, [log.vkey], signal),
    origin: log.origin,
    logKeys: () => [log.vkey],
    witness: { vkey: witness.vkey, place: parsePlace(witness.url) },
    every: 50,
    say(kind, fields) {
      said.push({ kind, fields });
      return Promise.resolve();
    },
    log: (severity, message) => void warned.push(`${severity}: ${message}`),
  });
  t.after(() => pushing.stop());
  return {
    said,
    warned,
    pushing,
    async first() {
      for (let waited = 0; said.length === 0; waited += 10) {
        assert.ok(waited < 60_000, warned.join('\n'));
        await wait(10);
      }
      return said[0] ?? assert.fail();
    },
  };
};

/** A witness behind its real server that trusts these keys of one origin. */
const witnessOf = async (t: TestContext, ...logs: readonly TestLog[]) => {
  const made = await newTestWitness(t, ...logs);
  const witness = await made.open();
  const server = await startWitnessServer({ witness, host: '127.0.0.1', port: 0, log: () => undefined });
  t.after(async () => {
    await server.stop();
    await witness.close();
  });
  return { witness, vkey: witness.vkey, url: `http://127.0.0.1:${server.port}` };
};

describe('what is brought to a witness', () => {
  it('is the candidate, or the newest where the witness has more than the candidate already', async (t) => {
    const log = newTestLog();
    const publisher = await startTestPublisher(t, log);
    const { witness, vkey, url } = await witnessOf(t, log);
    publisher.show(log, 20);
    publisher.offer(12);
    const { said, first } = push(t, log, publisher, { vkey, url });
    assert.deepEqual([(await first()).kind, (await first()).fields['size']], ['cosignature', 12]);
    await witness.consider(parseSubmission(log.submission(12, 15)));
    for (let waited = 0; !said.some(({ fields }) => fields['size'] === 20); waited += 10) {
      assert.ok(waited < 60_000);
      await wait(10);
    }
    assert.ok(said.every(({ kind }) => kind === 'cosignature'));
  });

  for (const [what, trusts] of [
    ['both keys', (older: TestLog, newer: TestLog) => [older, newer]],
    ['the newer key alone', (_: TestLog, newer: TestLog) => [newer]],
  ] as const)
    it(`brings back what a witness that trusts ${what} remembers of a log that was put back to before a rotation`, async (t) => {
      const older = newTestLog();
      const newer = newTestLog(older.origin);
      const publisher = await startTestPublisher(t, older);
      const { witness, vkey, url } = await witnessOf(t, ...trusts(older, newer));
      assert.equal((await witness.consider(parseSubmission(newer.submission(0, 55)))).outcome, 'cosigned');
      publisher.show(older, 51);
      const { first } = push(t, older, publisher, { vkey, url });
      const { kind, fields } = await first();
      assert.equal(kind, 'contradiction');
      const note = Buffer.from(String(fields['note']));
      assert.equal(parseCheckpoint(note).size, 55);
      assert.deepEqual(note, witness.seen(older.origin)?.note);
    });

  it('is refused without an alarm where the log contains what the witness remembers', async (t) => {
    const older = newTestLog();
    const newer = newTestLog(older.origin);
    const publisher = await startTestPublisher(t, newer);
    const { witness, vkey, url } = await witnessOf(t, older);
    await witness.consider(parseSubmission(older.submission(0, 51)));
    publisher.show(newer, 55);
    const { first } = push(t, newer, publisher, { vkey, url });
    assert.equal((await first()).kind, 'witness-refuses');
  });

  it('is given up at once at a stop, also where the witness never answers', async (t) => {
    const log = newTestLog();
    const publisher = await startTestPublisher(t, log);
    publisher.show(log, 3);
    const { vkey } = await witnessOf(t, log);
    const hanging = createServer();
    hanging.listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    t.after(() => hanging.close());
    const connected = once(hanging, 'connection');
    const { port } = hanging.address() as AddressInfo;
    const { pushing, warned } = push(t, log, publisher, { vkey, url: `http://127.0.0.1:${port}` });
    const [socket] = await connected;
    t.after(() => socket.destroy());
    const before = performance.now();
    await pushing.stop();
    assert.ok(performance.now() - before < 5000);
    assert.deepEqual(warned, []);
  });
});
