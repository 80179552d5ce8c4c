import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  checkpointText,
  cosign,
  formatVkey,
  formatWitnessVkey,
  parseCheckpoint,
  parseNote,
  parseVkey,
  parseWitnessVkey,
  signNote,
  type WitnessSigner,
} from '#vault/checkpoint';
import { beats, openTest } from '../vault/testing/test-vault.ts';
import { startReceiver } from '../receive/index.ts';
import { linesOf, readStored } from '../receive/testing/stored.ts';
import type { PublisherOptions } from './index.ts';
import { grow, hostPort, serve, type Reply, type Served } from './testing/served.ts';

const newWitness = (name: string): { vkey: string; signer: WitnessSigner } => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const vkey = formatWitnessVkey(name, publicKey);
  return { vkey, signer: { vkey: parseWitnessVkey(vkey), privateKey } };
};

const cosigned = (note: Buffer, ...signers: readonly WitnessSigner[]): Buffer =>
  Buffer.concat([
    note,
    ...signers.map((witness) =>
      Buffer.from(cosign({ text: parseNote(note).text, witness, time: 1_778_554_800 })),
    ),
  ]);

/** A note that the vault's own key signed, whatever its log holds. */
const signedByOurKey = ({ made }: Served, size: number, root: Buffer): Buffer => {
  const { name, keyId } = parseVkey(made.vkey);
  const privateKey = createPrivateKey(readFileSync(join(made.keys, 'signer.key'), 'utf8'));
  return signNote(checkpointText(name, size, root), { name, keyId, privateKey });
};

const post = (
  { get }: Served,
  place: string,
  body: Buffer | string,
  over: 'unix' | 'tcp' = 'tcp',
): Promise<Reply> => get(place, { method: 'POST', body, over });

/** The real receiver, on the state directory that the publisher serves. */
const withReceiver = async (
  t: TestContext,
  options: Partial<PublisherOptions> = {},
): Promise<{
  served: Served;
  lines(): Record<string, unknown>[];
  numbered(): [string, number][];
  start(): Promise<() => Promise<void>>;
}> => {
  const served = await serve(t, options);
  const { state } = served;
  mkdirSync(state.run, { recursive: true });
  const start = async (): Promise<() => Promise<void>> => {
    const receiver = await startReceiver({
      state,
      listen: [],
      clock: served.made.clock,
      log: () => undefined,
      onFault(error) {
        throw error;
      },
    });
    let stopped: Promise<void> | null = null;
    const stop = (): Promise<void> => (stopped ??= receiver.stop());
    t.after(stop);
    return stop;
  };
  const own = () => readStored(state.intake).deliveries.filter(({ peer }) => peer === 'publisher');
  return {
    served,
    start,
    lines: () =>
      own()
        .flatMap(linesOf)
        .map(({ raw }) => JSON.parse(raw.toString())),
    numbered: () =>
      own().flatMap((delivery) =>
        linesOf(delivery).map(({ sequence }): [string, number] => [delivery.stream, sequence]),
      ),
  };
};

test('a cosignature goes to the receiver as an own line, once, and is taken when it is durable', async (t) => {
  const [one, two, other] = [newWitness('w.example/1'), newWitness('w.example/2'), newWitness('w.example/3')];
  const { served, lines, numbered, start } = await withReceiver(t, { witnesses: [one.vkey, two.vkey] });
  await start();
  await grow(served.made, 5);
  const note = served.made.read('checkpoint');

  const reply = await post(served, '/cosignature', cosigned(note, one.signer, two.signer, other.signer));
  assert.equal(reply.status, 202, reply.body.toString());
  assert.deepEqual(
    lines().map(({ kind, size, note: text, witness }) => ({ kind, size, note: text, witness })),
    [one, two].map(({ signer }) => ({
      kind: 'cosignature',
      size: 5,
      note: cosigned(note, signer).toString(),
      witness: signer.vkey.name,
    })),
  );
  // What everybody can fetch from checkpoint.witnessed can be handed in again by everybody.
  for (let i = 0; i < 5; i++)
    assert.equal((await post(served, '/cosignature', cosigned(note, two.signer))).status, 202);
  assert.equal(lines().length, 2);
  const [first] = numbered();
  assert.deepEqual(numbered(), [
    [first?.[0], 1],
    [first?.[0], 2],
  ]);
});

test('strangers’ cosignatures count only if this log asks them; this machine’s own are kept for the record', async (t) => {
  const { served, lines, start } = await withReceiver(t);
  await start();
  await grow(served.made, 5);
  const note = served.made.read('checkpoint');
  const stranger = newWitness('stranger.example');
  assert.equal((await post(served, '/cosignature', cosigned(note, stranger.signer))).status, 403);
  assert.equal(lines().length, 0);
  assert.equal((await post(served, '/cosignature', cosigned(note, stranger.signer), 'unix')).status, 202);
  assert.equal(lines().length, 1);
});

/** Connects, sends and resets so many times while this thread accepts nothing: the kernel has the bytes, and no peer. */
const sendAndReset = (to: { host: string; port: number }, bytes: Buffer, times: number): void => {
  const done = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    `const { workerData: { to, bytes, times, done } } = require('node:worker_threads');
     let left = times;
     for (let i = 0; i < times; i++) {
       const socket = require('node:net').connect(to, () => socket.write(bytes, () => socket.resetAndDestroy()));
       socket.on('error', () => undefined);
       socket.on('close', () => --left === 0 && (Atomics.store(done, 0, 1), Atomics.notify(done, 0)));
     }`,
    { eval: true, workerData: { to, bytes, times, done } },
  );
  worker.unref();
  assert.notEqual(Atomics.wait(done, 0, 0, 60_000), 'timed-out');
};

test('who resets a TCP connection before it is accepted is not taken for this machine', async (t) => {
  const { served, lines, start } = await withReceiver(t, {
    limits: { statements: { each: { burst: 10, perSecond: 0 }, all: { burst: 1000, perSecond: 0 } } },
  });
  await start();
  await grow(served.made, 5);
  const body = cosigned(served.made.read('checkpoint'), newWitness('stranger.example').signer);
  const head = `POST /cosignature HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
  const to = hostPort(served.publisher.addresses['publish']);
  sendAndReset(to, Buffer.concat([Buffer.from(head), body]), 100);
  await sleep(500);
  assert.deepEqual(lines(), []);
  const own = cosigned(served.made.read('checkpoint'), newWitness('own.example').signer);
  const replies = await Promise.all(
    Array.from({ length: 5 }, () => post(served, '/cosignature', own, 'unix')),
  );
  for (const { status } of replies)
    assert.equal(status, 202, 'what this machine may hand in is not used up by others');
  assert.equal(lines().length, 1, 'the same bytes at the same time are one line');
});

test('a cosignature that its witness did not make is refused', async (t) => {
  const [one, two] = [newWitness('w.example/1'), newWitness('w.example/2')];
  const { served, lines, start } = await withReceiver(t, { witnesses: [one.vkey] });
  await start();
  await grow(served.made, 5);
  const note = served.made.read('checkpoint');
  const forged: WitnessSigner = { vkey: one.signer.vkey, privateKey: two.signer.privateKey };
  assert.equal((await post(served, '/cosignature', cosigned(note, forged))).status, 403);
  assert.equal((await post(served, '/cosignature', note)).status, 400, 'no cosignature at all');
  assert.equal(lines().length, 0);
});

test('what our key did not sign is refused before anything is done', async (t) => {
  const witness = newWitness('w.example/1');
  const { served, lines, start } = await withReceiver(t, { witnesses: [witness.vkey] });
  await start();
  await grow(served.made, 5);
  const text = checkpointText(parseVkey(served.made.vkey).name, 5, Buffer.alloc(32));
  const { keyId, name } = parseVkey(served.made.vkey);
  const foreign = signNote(text, { name, keyId, privateKey: generateKeyPairSync('ed25519').privateKey });
  for (const place of ['/cosignature', '/contradiction']) {
    assert.equal((await post(served, place, cosigned(foreign, witness.signer))).status, 403);
    for (const body of ['', 'hello', '\n\n', '\0'.repeat(100), 'ÿ'.repeat(2000)])
      assert.equal((await post(served, place, body)).status, 400);
    assert.equal((await post(served, place, 'x'.repeat(4096))).status, 400);
    assert.equal((await post(served, place, 'x'.repeat(4097))).status, 413);
  }
  assert.equal(lines().length, 0);
});

test('a checkpoint that our key signed and our log does not contain is passed on; one that it contains is known', async (t) => {
  const { served, lines, start } = await withReceiver(t);
  await start();
  await grow(served.made, 5, 300);
  const earlier = served.made.read('history/000');
  const first = earlier.subarray(2, 2 + earlier.readUInt16BE(0));
  assert.equal((await post(served, '/contradiction', first)).status, 200);
  assert.equal((await post(served, '/contradiction', served.made.read('checkpoint'))).status, 200);
  assert.equal(lines().length, 0);

  const ours = served.made.read('checkpoint');
  const { root } = parseCheckpoint(ours);
  const forks = [signedByOurKey(served, 5, Buffer.alloc(32, 1)), signedByOurKey(served, 9999, root)];
  for (const fork of forks) {
    const reply = await post(served, '/contradiction', fork);
    assert.equal(reply.status, 202, reply.body.toString());
  }
  assert.deepEqual(
    lines().map(({ kind, ours: said, note }) => ({ kind, ours: said, note })),
    forks.map((fork) => ({ kind: 'contradiction', ours: ours.toString(), note: fork.toString() })),
  );
  // It is evidence as whatever it is handed in, and once is enough.
  const witness = newWitness('w.example/1');
  assert.equal((await post(served, '/cosignature', cosigned(forks[0] ?? ours, witness.signer))).status, 202);
  assert.equal(lines().length, 2);
  assert.ok(served.logged.some((line) => line.startsWith('error: a witness handed in')));
});

/** A checkpoint of this log's origin by a key that its publisher does not know. */
const signedByAnotherKey = ({ made }: Served, size: number, root: Buffer): Buffer => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { name, keyId } = parseVkey(formatVkey(parseVkey(made.vkey).name, publicKey));
  return signNote(checkpointText(name, size, root), { name, keyId, privateKey });
};

test('what a witness that this log asks has cosigned is passed on under whatever log key, with the evidence', async (t) => {
  const [one, stranger] = [newWitness('w.example/1'), newWitness('stranger.example')];
  const { served, lines, start } = await withReceiver(t, { witnesses: [one.vkey] });
  await start();
  await grow(served.made, 5);
  // The publisher's state was put back to before a rotation; its witness remembers what came after.
  const newer = signedByAnotherKey(served, 553, Buffer.alloc(32, 7));
  for (const place of ['/contradiction', '/cosignature'])
    for (const over of ['tcp', 'unix'] as const) {
      assert.equal((await post(served, place, newer, over)).status, 403, 'nobody vouches for it');
      assert.equal((await post(served, place, cosigned(newer, stranger.signer), over)).status, 403);
    }
  assert.equal(lines().length, 0);
  const reply = await post(served, '/contradiction', cosigned(newer, stranger.signer, one.signer));
  assert.equal(reply.status, 202, reply.body.toString());
  assert.deepEqual(
    lines().map(({ kind, note }) => [kind, note]),
    [['contradiction', cosigned(newer, one.signer).toString()]],
  );
});

test('a checkpoint that an earlier key signed is known where the log contains it, and passed on where it does not', async (t) => {
  const one = newWitness('w.example/1');
  const { served, lines, start } = await withReceiver(t, { witnesses: [one.vkey] });
  await start();
  const rotate = async (): Promise<void> => {
    const appender = await openTest(served.made);
    await appender.commit([{ kind: 'key', reason: 'yearly' }], appender.intake());
    await appender.commit(beats(2), appender.intake());
    appender.close();
  };
  await rotate();
  const second = served.made.read('checkpoint');
  const key = createPrivateKey(readFileSync(join(served.made.keys, 'signer.key'), 'utf8'));
  const { name, keyId } = parseVkey(readFileSync(join(served.made.keys, 'vault.vkey'), 'utf8'));
  await rotate();
  assert.equal((await post(served, '/contradiction', second)).status, 200, 'the log contains it');
  assert.equal((await post(served, '/cosignature', cosigned(second, one.signer))).status, 202);
  const fork = signNote(checkpointText(name, 2, Buffer.alloc(32, 1)), { name, keyId, privateKey: key });
  assert.equal((await post(served, '/contradiction', fork)).status, 202);
  assert.deepEqual(
    lines().map(({ kind, note }) => [kind, note]),
    [
      ['cosignature', cosigned(second, one.signer).toString()],
      ['contradiction', fork.toString()],
    ],
  );
});

test('while the receiver is away the witness is asked to come again, and nothing is lost or numbered twice', async (t) => {
  const { served, lines, numbered, start } = await withReceiver(t);
  await grow(served.made, 5);
  const note = cosigned(served.made.read('checkpoint'), newWitness('w.example/1').signer);
  const away = await post(served, '/cosignature', note, 'unix');
  assert.equal(away.status, 503);
  assert.ok(Number(away.headers['retry-after']) > 0);
  const stop = await start();
  assert.equal((await post(served, '/cosignature', note, 'unix')).status, 202);
  await stop();
  await grow(served.made, 5);
  const next = cosigned(served.made.read('checkpoint'), newWitness('w.example/1').signer);
  assert.equal((await post(served, '/cosignature', next, 'unix')).status, 503);
  await start();
  assert.equal((await post(served, '/cosignature', next, 'unix')).status, 202);
  assert.equal(lines().length, 2);
  // A stream for each connection: its numbers have no hole.
  assert.equal(new Set(numbered().map(([stream]) => stream)).size, 2);
  assert.deepEqual(
    numbered().map(([, sequence]) => sequence),
    [1, 1],
  );
});

test('who hands in too often is told to wait', async (t) => {
  const each = { burst: 5, perSecond: 0.001 };
  const { served } = await withReceiver(t, {
    limits: { statements: { each, all: { burst: 8, perSecond: 0.001 } } },
  });
  await grow(served.made, 5);
  const note = served.made.read('checkpoint');
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await post(served, '/contradiction', note)).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429]);
  const others: number[] = [];
  for (let i = 0; i < 5; i++) others.push((await post(served, '/contradiction', note, 'unix')).status);
  assert.deepEqual(others, [200, 200, 200, 429, 429], 'all together');
  assert.equal((await served.get('/checkpoint')).status, 200, 'fetching is not held back');
});
