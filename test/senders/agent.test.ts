import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { stateDirectory } from '#base/state';
import { systemClock } from '#base/clock';
import { startReceiver, type Receiver } from '#receive';
import type { TlsFiles } from '#wire/listen';
import { testAuthority, type Holder } from '../../src/receive/testing/authority.ts';
import { linesOf, readStored, type StoredDelivery } from '../../src/receive/testing/stored.ts';
import { snippets } from '../../src/cli/hosts/snippets/index.ts';
import { recordSeen } from '../../tools/senders/seen.ts';
import { freePort } from '../harness/free-port.ts';
import { holdfast, until } from '../harness/up.ts';

/** A receiver for agents of other hosts, on a state directory that outlives it. */
const receiveOn = (root: string, tls: TlsFiles, port: number): Promise<Receiver> =>
  startReceiver({
    state: stateDirectory(root),
    listen: [{ kind: 'agent', host: '127.0.0.1', port }],
    tls,
    clock: systemClock(),
    log: () => undefined,
    onFault(error) {
      throw error;
    },
  });

const temporary = (t: TestContext, name: string): string => {
  const root = mkdtempSync(join(tmpdir(), `holdfast-${name}-`));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
};

/** A host on which nothing but `holdfast agent` runs. */
const startAgent = (t: TestContext, root: string, holder: Holder, authority: string, server: string) => {
  const pki = join(root, 'pki');
  mkdirSync(pki);
  copyFileSync(holder.key, join(pki, 'client.key'));
  copyFileSync(holder.certificate, join(pki, 'client.crt'));
  copyFileSync(authority, join(pki, 'authority.crt'));
  // What `holdfast hosts snippet agent` prints, with this test's state directory.
  const [host = '', port] = server.split(':');
  const shown = snippets.find(({ name }) => name === 'agent')?.ways['tls'];
  const command = shown?.write({ host, port: Number(port), files: pki }).trim() ?? '';
  const child: ChildProcess = spawn('sh', ['-c', `exec ${command} --state "$1"`, 'sh', root], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${dirname(holdfast)}:${process.env['PATH'] ?? ''}` },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  t.after(end);
  return { end, output: () => output };
};

const fromAgents = (root: string): StoredDelivery[] =>
  readStored(join(root, 'intake')).deliveries.filter(({ listener }) => listener.startsWith('agent='));

const numbers = (deliveries: readonly StoredDelivery[]): number[] =>
  [...new Set(deliveries.flatMap(linesOf).map(({ sequence }) => sequence))].toSorted((a, b) => a - b);

test('an agent on another host sends over TLS, numbered, under the name in its certificate, and over an outage', async (t) => {
  const authority = testAuthority(t);
  const root = temporary(t, 'vault');
  mkdirSync(join(root, 'intake'));
  mkdirSync(join(root, 'run'));
  const port = await freePort();
  let receiver = await receiveOn(root, authority.files, port);
  t.after(() => receiver.stop());
  const host = temporary(t, 'agent');
  const web = authority.issue('web1.example');
  const agent = startAgent(t, host, web, authority.files.authority, `localhost:${port}`);

  await until('its first lines are here', () => fromAgents(root).length > 0);
  await receiver.stop();
  const before = numbers(fromAgents(root)).length;
  receiver = await receiveOn(root, authority.files, port);
  await until('it goes on after the outage', () => numbers(fromAgents(root)).length > before, 90_000);
  await agent.end();

  const stored = fromAgents(root);
  assert.deepEqual(new Set(stored.map(({ tlsName }) => tlsName)), new Set(['web1.example']));
  for (const { stream } of stored) assert.match(stream, /^web1\.example\/agent-/);
  const got = numbers(stored);
  assert.deepEqual(
    got,
    Array.from({ length: got.length }, (_, i) => i + 1),
    'no number is missing',
  );
  assert.match(agent.output(), /sending this host’s logs to localhost:\d+/);
  const { version } = JSON.parse(readFileSync(join(dirname(dirname(holdfast)), 'package.json'), 'utf8'));
  recordSeen({
    sender: 'agent',
    way: 'tls',
    program: `holdfast ${version}`,
    result: 'every line over an outage, no number missing',
  });
});

test('an agent whose certificate is revoked, or of another authority, is not heard, and says so', async (t) => {
  const authority = testAuthority(t);
  const root = temporary(t, 'vault');
  mkdirSync(join(root, 'intake'));
  mkdirSync(join(root, 'run'));
  const [revoked, stranger] = [authority.issue('web2.example'), testAuthority(t).issue('web1.example')];
  writeFileSync(authority.files.revoked, `${revoked.serial}\n`);
  const receiver = await receiveOn(root, authority.files, 0);
  t.after(() => receiver.stop());
  const server = `localhost:${/:(\d+)$/.exec(receiver.addresses['agent'] ?? '')?.[1]}`;
  for (const holder of [revoked, stranger]) {
    const agent = startAgent(t, temporary(t, 'agent'), holder, authority.files.authority, server);
    await until('it says so', () => /lines are kept in the spool/.test(agent.output()));
    await agent.end();
  }
  assert.deepEqual(fromAgents(root), []);
});
