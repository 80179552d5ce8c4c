import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { status as statusSchema } from '#wire/console';
import type { Ready } from '#wire/ready';
import { startTestConsole } from '../../test-console.ts';

const name = 'example.org/log';
const root = Buffer.alloc(32, 7).toString('base64');
const { publicKey, privateKey } = generateKeyPairSync('ed25519');

/** C2SP signed-note: a key id covers the name, the type byte and the key. */
const publicBytes = publicKey.export({ type: 'spki', format: 'der' }).subarray(12);
const typed = Buffer.concat([Buffer.from([1]), publicBytes]);
const keyId = createHash('sha256')
  .update(Buffer.concat([Buffer.from(`${name}\n`), typed]))
  .digest()
  .subarray(0, 4);
const vkey = `${name}+${keyId.toString('hex')}+${typed.toString('base64')}`;

const checkpointOf = (size: string, signedSize = size): string => {
  const signature = sign(null, Buffer.from(`${name}\n${signedSize}\n${root}\n`), privateKey);
  return `${name}\n${size}\n${root}\n\n— ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`;
};

test('the status has the checkpoint, the indexer and what runs, each for itself', async (t) => {
  const { ask, state, search } = await startTestConsole(t);
  const status = async () => statusSchema.parse(JSON.parse((await ask('/api/status')).body));

  const fresh = await status();
  assert.deepEqual(fresh.checkpoint, { result: 'none' });
  assert.equal(fresh.ready, null);
  assert.equal(fresh.indexer.result === 'answers' && fresh.indexer.health.committed, 7);

  await writeFile(join(state, 'vault', 'checkpoint'), checkpointOf('1284'));
  await utimes(join(state, 'vault', 'checkpoint'), 1_778_554_800, 1_778_554_800);
  const ready: Ready = {
    receiver: { syslogTcp: '127.0.0.1:5514' },
    console: 'http://127.0.0.1:8600',
    publisher: null,
    vkey,
    allowed: { networks: [], names: [], certificates: 'required' },
    supervisorPid: 1,
    processes: { receiver: { pid: 2, uid: 990, groups: [] } },
  };
  await writeFile(join(state, 'run', 'ready.json'), JSON.stringify(ready));
  await search.stop();

  const later = await status();
  assert.equal(later.checkpoint.result, 'found');
  assert.ok(later.checkpoint.result === 'found');
  const { origin, size, root: shownRoot, time } = later.checkpoint;
  assert.deepEqual(
    { origin, size, shownRoot, time },
    { origin: 'example.org/log', size: 1284, shownRoot: root, time: '2026-05-12T03:00:00.000000Z' },
  );
  assert.deepEqual(later.ready, ready);
  assert.equal(later.indexer.result, 'away');
});

test('the signature is checked by the public key, and a checkpoint that cannot be read is no empty vault', async (t) => {
  const { ask, state } = await startTestConsole(t);
  const checkpoint = async () => statusSchema.parse(JSON.parse((await ask('/api/status')).body)).checkpoint;
  const signature = async () => {
    const found = await checkpoint();
    return found.result === 'found' ? found.signature : found.result;
  };
  const write = (file: string, text: string) => writeFile(join(state, file), text);

  await write('vault/checkpoint', checkpointOf('7'));
  assert.equal(await signature(), 'not checked');
  await write('keys/vault.vkey', `${vkey}\n`);
  assert.equal(await signature(), 'valid');
  await write('vault/checkpoint', checkpointOf('8', '7'));
  assert.equal(await signature(), 'invalid');
  await write('vault/checkpoint', checkpointOf('08'));
  assert.equal(await signature(), 'could-not-look');
  await write('vault/checkpoint', checkpointOf('7'));
  await write('keys/vault.vkey', 'no key');
  assert.equal(await signature(), 'could-not-look');
});
