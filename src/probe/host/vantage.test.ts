import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unknownPort } from './greeting.ts';
import { vantagesOf } from './vantage.ts';

test('an address is taken as the kernel writes it, in brackets or mapped too', async () => {
  for (const [given, address] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['[::1]', '::1'],
  ] as const) {
    const its = await vantagesOf(given).catch((error: unknown) => {
      // A machine without IPv6 has no way there.
      if (!(error instanceof Error && 'code' in error && error.code === 'no-way' && address === '::1'))
        throw error;
      return null;
    });
    const found = its?.vantages.map((one) => [one.address, one.itself]);
    if (found !== undefined) assert.deepEqual(found, [[address, true]], given);
  }
});

test('an address of one link needs its interface, and those of many hosts are refused', async () => {
  await assert.rejects(vantagesOf('fe80::7'), { code: 'bad-host', message: /fe80::7%eth0/ });
  for (const many of ['ff02::1', '::', '224.0.0.1', '0.0.0.0'])
    await assert.rejects(vantagesOf(many), { code: 'bad-host' }, many);
});

test('each address of a name is probed, eight at the most; what cannot be is told', async () => {
  const ten = Array.from({ length: 10 }, (_, n) => `127.0.0.${n + 1}`);
  const { vantages, lost, others } = await vantagesOf('many', async () => ['224.0.0.1', '127.0.0.1', ...ten]);
  assert.deepEqual(
    vantages.map(({ host, address }) => [host, address]),
    ten.slice(0, 7).map((address) => ['many', address]),
  );
  assert.deepEqual(others, ten.slice(7));
  assert.deepEqual(
    lost.map(({ address }) => address),
    ['224.0.0.1'],
  );
  await assert.rejects(
    vantagesOf('none', async () => ['224.0.0.1', '224.0.0.2']),
    { code: 'no-way', message: /none cannot be probed: 224\.0\.0\.1 .*; 224\.0\.0\.2 / },
  );
});

test('a web server is asked for an IPv6 address in brackets and without its zone', () => {
  assert.equal(unknownPort.kind, 'say');
  const asked = (host: string): string =>
    unknownPort.kind === 'say' ? unknownPort.bytes(host).toString() : '';
  assert.match(asked('fe80::7%eth0'), /^Host: \[fe80::7\]\r$/m);
  assert.match(asked('web1'), /^Host: web1\r$/m);
});
