import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { CliError } from '#cli';
import { openBook } from '#pki/book';
import { accounts } from '../up/accounts.ts';
import { askProber } from './ask.ts';
import { permissionToProbe } from './permission.ts';

const pkiWith = async (
  t: TestContext,
  certificates: readonly { name: string; serial: string; expires: string }[],
  revoked: readonly string[],
): Promise<string> => {
  const pki = mkdtempSync(join(tmpdir(), 'holdfast-probe-'));
  t.after(() => rmSync(pki, { recursive: true, force: true }));
  mkdirSync(join(pki, 'issuer'));
  const book = openBook(join(pki, 'issuer'), systemClock());
  const common = { issued: '2020-01-01T00:00:00Z', certificate: '', publicKey: '', peer: null };
  for (const one of certificates)
    await book.append({ kind: 'certificate-issued', token: null, by: null, ...common, ...one });
  for (const serial of revoked)
    await book.append({ kind: 'certificate-revoked', name: 'x', serial, reason: 'lost', by: 'root' });
  return pki;
};

test('hosts with a valid certificate are probed, others only where the operator answers for them', async (t) => {
  const pki = await pkiWith(
    t,
    [
      { name: 'web1.example', serial: '01', expires: '2999-01-01T00:00:00Z' },
      { name: 'ended.example', serial: '02', expires: '2021-01-01T00:00:00Z' },
      { name: 'revoked.example', serial: '03', expires: '2999-01-01T00:00:00Z' },
    ],
    ['03'],
  );
  assert.equal(await permissionToProbe('WEB1.example', pki, 'not said'), 'enrolled');
  assert.equal(await permissionToProbe('other.example', pki, 'said'), 'operator');
  for (const host of ['other.example', 'ended.example', 'revoked.example', '127.0.0.1'])
    await assert.rejects(
      permissionToProbe(host, pki, 'not said'),
      (error) => error instanceof CliError && error.code === 'refused' && error.status === 3,
      host,
    );
});

const task = (port: number, host = '127.0.0.1') => ({
  host,
  doors: [{ protocol: 'tcp' as const, port }],
  rates: { tcp: 100, udp: 100 },
  timeoutMs: 60_000,
});

test('the prober says from where it looks, and then what it saw', async (t) => {
  const server = createServer((socket) => void socket.end('SSH-2.0-x\r\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const order: string[] = [];
  const { looked } = await askProber(
    task(port),
    (all) => void order.push(...all.vantages.map(({ from }) => from)),
  );
  assert.deepEqual(order, ['127.0.0.1']);
  assert.equal(looked[0]?.vantage.itself, true);
  assert.deepEqual(
    looked.map(({ seen: { alive, outcomes } }) => [
      alive,
      ...outcomes.map(({ state, banner }) => [state, banner]),
    ]),
    [[true, ['open', 'SSH-2.0-x']]],
  );
});

for (const [host, code] of [
  ['224.0.0.1', 'usage'],
  ['255.255.255.255', 'usage'],
  ['0.0.0.0', 'usage'],
  ['no-such-host.invalid', 'could-not-look'],
] as const)
  test(`${host} is not probed`, async () => {
    await assert.rejects(
      askProber(task(1, host), () => assert.fail('nothing may be looked at')),
      (error) => error instanceof CliError && error.code === code,
    );
  });

test(
  'the prober is not root, before it is told anything',
  { skip: process.getuid?.() === 0 ? false : 'only root can become somebody else' },
  async (t) => {
    const prober = spawn(process.execPath, [join(import.meta.dirname, '..', 'prober.ts')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    t.after(() => void prober.kill());
    const status = (): string => readFileSync(`/proc/${prober.pid}/status`, 'utf8');
    const uids = `Uid:\t${Array(4).fill(accounts.prober.uid).join('\t')}`;
    while (!status().includes(uids)) await sleep(10);
    const said = status();
    assert.match(said, /^Groups:\s*$/m);
    assert.match(said, /^CapPrm:\t0+$/m);
    assert.match(said, /^CapEff:\t0+$/m);
    prober.stdin.end(JSON.stringify(task(1)));
    assert.match(await text(prober.stdout), /"refused"/);
  },
);
