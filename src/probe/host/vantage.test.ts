import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unknownPort } from './greeting.ts';
import { vantageOf } from './vantage.ts';

test('an address is taken as the kernel writes it, in brackets or mapped too', async () => {
  for (const [given, address] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['[::1]', '::1'],
  ] as const) {
    const vantage = await vantageOf(given).catch((error: unknown) => {
      // A machine without IPv6 has no way there.
      if (!(error instanceof Error && 'code' in error && error.code === 'no-way' && address === '::1'))
        throw error;
      return null;
    });
    if (vantage !== null) assert.deepEqual([vantage.address, vantage.itself], [address, true], given);
  }
});

test('an address of one link needs its interface, and those of many hosts are refused', async () => {
  await assert.rejects(vantageOf('fe80::7'), { code: 'bad-host', message: /fe80::7%eth0/ });
  for (const many of ['ff02::1', '::', '224.0.0.1', '0.0.0.0'])
    await assert.rejects(vantageOf(many), { code: 'bad-host' }, many);
});

test('a web server is asked for an IPv6 address in brackets and without its zone', () => {
  assert.equal(unknownPort.kind, 'say');
  const asked = (host: string): string =>
    unknownPort.kind === 'say' ? unknownPort.bytes(host).toString() : '';
  assert.match(asked('fe80::7%eth0'), /^Host: \[fe80::7\]\r$/m);
  assert.match(asked('web1'), /^Host: web1\r$/m);
});
