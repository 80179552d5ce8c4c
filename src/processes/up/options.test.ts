import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatVkey, formatWitnessVkey } from '#vault/checkpoint';
import { readOptions } from './options.ts';

const newKey = (name: string): string => formatWitnessVkey(name, generateKeyPairSync('ed25519').publicKey);
const wrong = { code: 'configuration' };

test('nothing is published over TCP, and no witness asked, unless it is configured', () => {
  const { publish, witnesses, witnessQuorum } = readOptions({});
  assert.deepEqual({ publish, witnesses, witnessQuorum }, { publish: null, witnesses: [], witnessQuorum: 0 });
});

test('where to publish is HOST:PORT', () => {
  assert.deepEqual(readOptions({ publish: '[::1]:0' }).publish, { host: '::1', port: 0 });
  for (const publish of ['8650', 'localhost', '127.0.0.1:65536', 'http://127.0.0.1:8650'])
    assert.throws(() => readOptions({ publish }), wrong, publish);
});

test('a witness is its key, or its key and its address', () => {
  const [one, two, three] = [newKey('w.example/1'), newKey('w.example/2'), newKey('w.example/3')];
  const { witnesses, witnessQuorum } = readOptions({
    witness: [one, `${two}=https://w.example/2/`, `${three}=http://10.0.0.7:8700`],
  });
  assert.deepEqual(
    witnesses.map(({ vkey, name, url }) => ({ vkey, name, url })),
    [
      { vkey: one, name: 'w.example/1', url: null },
      { vkey: two, name: 'w.example/2', url: 'https://w.example/2' },
      { vkey: three, name: 'w.example/3', url: 'http://10.0.0.7:8700' },
    ],
  );
  assert.equal(witnessQuorum, 2, 'more than half');
});

test('what is no witness is refused in words', () => {
  const key = newKey('w.example/1');
  const log = formatVkey('log.example', generateKeyPairSync('ed25519').publicKey);
  for (const witness of [
    '',
    'w.example',
    log,
    key.slice(0, -1),
    `other${key}`,
    key.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
    `${key}=`,
    `${key}=w.example`,
    `${key}=ftp://w.example`,
    `${key}=https://user:secret@w.example`,
    `${key}=https://w.example/?x=1`,
    `${key} =https://w.example`,
  ])
    assert.throws(() => readOptions({ witness: [witness] }), wrong, witness);
  // A cosignature does not name its maker: one key would count twice.
  const { publicKey } = generateKeyPairSync('ed25519');
  const twice = [formatWitnessVkey('a.example', publicKey), formatWitnessVkey('b.example', publicKey)];
  assert.throws(() => readOptions({ witness: twice }), wrong);
});

test('a quorum is a number of witnesses that there are', () => {
  const witness = [newKey('a.example'), newKey('b.example')];
  assert.equal(readOptions({ witness, witnessQuorum: '1' }).witnessQuorum, 1);
  for (const witnessQuorum of ['0', '3', '-1', '1.5', 'two', ''])
    assert.throws(() => readOptions({ witness, witnessQuorum }), wrong, witnessQuorum);
  assert.throws(() => readOptions({ witnessQuorum: '1' }), wrong);
});

test('what the indexer may take is a number of MiB', () => {
  assert.equal(readOptions({}).indexMemory, 1024 ** 3);
  assert.equal(readOptions({ indexMemory: '2048' }).indexMemory, 2 * 1024 ** 3);
  for (const indexMemory of ['0', '100', '895', '1g', '-1', ''])
    assert.throws(() => readOptions({ indexMemory }), wrong, indexMemory);
});

test('the file has the same keys, and flags win over it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-options-'));
  try {
    const config = join(directory, 'holdfast.toml');
    const [one, two] = [newKey('a.example'), newKey('b.example')];
    writeFileSync(
      config,
      `publish = "127.0.0.1:8650"\nwitness = ["${one}=https://a.example"]\nwitness-quorum = 1\n`,
    );
    const fromFile = readOptions({ config });
    assert.deepEqual(fromFile.publish, { host: '127.0.0.1', port: 8650 });
    assert.deepEqual(
      fromFile.witnesses.map(({ url }) => url),
      ['https://a.example'],
    );
    assert.equal(fromFile.witnessQuorum, 1);
    const fromFlags = readOptions({ config, publish: '127.0.0.1:0', witness: [two] });
    assert.equal(fromFlags.publish?.port, 0);
    assert.deepEqual(
      fromFlags.witnesses.map(({ name }) => name),
      ['b.example'],
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a port that is open to others, from which nobody may speak, is refused', () => {
  const open = ['syslog-udp=0.0.0.0:514'];
  assert.throws(() => readOptions({ listen: open }), wrong);
  assert.throws(() => readOptions({ listen: ['syslog-tcp=[::]:514'] }), wrong);
  assert.deepEqual(readOptions({ listen: open, allow: ['192.0.2.0/24'] }).allowed.networks, ['192.0.2.0/24']);
  assert.deepEqual(readOptions({ listen: ['syslog-tcp=127.0.0.1:0'] }).allowed.networks, []);
  // Over TLS the certificate decides.
  assert.equal(readOptions({ listen: ['syslog-tls=0.0.0.0:6514'] }).allowed.certificates, 'required');
  assert.throws(() => readOptions({ listen: ['syslog-tls=0.0.0.0:6514'], certificates: 'optional' }), wrong);
  for (const allow of ['web1', '10.0.0.0/33', '10.0.0/8'])
    assert.throws(() => readOptions({ allow: [allow] }), wrong, allow);
  assert.throws(() => readOptions({ certificates: 'no' }), wrong);
});

test('what one sender may take is named, and counted', () => {
  assert.deepEqual(readOptions({}).limits, {});
  assert.deepEqual(readOptions({ limit: ['connections=500', 'connects=20', 'datagrams=10000'] }).limits, {
    connections: 500,
    connects: 20,
    datagrams: 10_000,
  });
  for (const limit of ['connections', 'connections=0', 'connections=-1', 'bytes=5', 'datagrams=1e3', ''])
    assert.throws(() => readOptions({ limit: [limit] }), wrong, limit);
});

test('the index is on a server only where a URL without a password says so', () => {
  assert.equal(readOptions({}).indexServer, null);
  assert.deepEqual(
    readOptions({
      indexUrl: 'https://w@ch.example:8443/logs?cluster=main',
      indexPasswordFile: '/etc/holdfast/index-password',
      indexCa: '/etc/holdfast/ca.pem',
    }).indexServer,
    {
      url: 'https://ch.example:8443',
      user: 'w',
      database: 'logs',
      cluster: 'main',
      passwordFile: '/etc/holdfast/index-password',
      caFile: '/etc/holdfast/ca.pem',
    },
  );
  assert.throws(
    () => readOptions({ indexUrl: 'https://w:hunter2@ch.example' }),
    (error) =>
      error instanceof Error && /password-file/.test(error.message) && !/hunter2/.test(error.message),
  );
  for (const flags of [
    { indexPasswordFile: '/p' },
    { indexCa: '/c' },
    { indexUrl: 'http://ch', indexCa: '/c' },
    { indexUrl: 'https://ch', indexPasswordFile: 'relative' },
  ])
    assert.throws(() => readOptions(flags), wrong, JSON.stringify(flags));
});
