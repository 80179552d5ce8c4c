import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { distinct, receivedIn, type Received } from './testing/own-server.ts';
import { place, until, type Place } from './testing/place.ts';

const agentProgram = join(import.meta.dirname, '..', 'processes', 'agent.ts');
const serverProgram = join(import.meta.dirname, 'testing', 'own-server.ts');

const started = (at: Place, command: string[], stdio: 'pipe' | 'ignore'): ChildProcess => {
  const [file = '', ...parameters] = command;
  const child = spawn(file, parameters, {
    stdio: ['pipe', stdio, 'inherit', 'pipe'],
    env: { ...process.env, HOLDFAST_READY_FD: '3' },
  });
  child.stdin?.on('error', () => undefined);
  at.after(() => killed(child));
  return child;
};

const killed = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
};

const stateIn = (root: string): { state: string; socket: string } => {
  const state = join(root, 'state');
  fs.mkdirSync(join(state, 'run'), { recursive: true });
  fs.mkdirSync(join(state, 'spool'));
  return { state, socket: join(state, 'run', 'own.sock') };
};

const filesOf = (lines: readonly Received[], directory: string): string[] =>
  lines.filter((got) => got.meta.path?.startsWith(directory) === true).map((got) => got.raw.toString());

test('kill -9 of agent and receiver at any moment: every line of a rotating file once', async (t) => {
  const at = place(t);
  const { state, socket } = stateIn(at.root);
  const config = JSON.stringify({ state, logRoots: [at.logs], journal: 'off', kernelRing: 'off' });
  const agent = (): ChildProcess => started(at, [process.execPath, agentProgram, config], 'ignore');
  const receiver = (): ChildProcess =>
    started(at, [process.execPath, serverProgram, socket, at.received], 'ignore');

  const path = join(at.logs, 'app.log');
  let written = 0;
  const write = setInterval(() => {
    const text = Array.from({ length: 20 }, () => `line ${written++}\n`).join('');
    fs.appendFileSync(path, text.slice(0, 50));
    fs.appendFileSync(path, text.slice(50));
    if (written % 2000 === 0) fs.renameSync(path, `${path}.${written}`);
  }, 5);
  at.after(() => clearInterval(write));

  let running = { agent: agent(), receiver: receiver() };
  for (let kill = 0; kill < 12; kill++) {
    await wait(150 + Math.random() * 450);
    if (kill % 3 === 2) {
      await killed(running.receiver);
      running = { ...running, receiver: receiver() };
    }
    await killed(running.agent);
    running = { ...running, agent: agent() };
  }
  await wait(400);
  clearInterval(write);
  const all = (): Received[] => distinct(receivedIn(at.received));
  await until('all lines are there', () => filesOf(all(), at.logs).length >= written);
  await wait(300);
  running.agent.stdin?.end();
  await once(running.agent, 'exit');
  assert.equal(running.agent.exitCode, 0);
  const numbers = filesOf(all(), at.logs).map((text) => Number(text.slice(5)));
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: written }, (_, i) => i),
  );
  assert.equal(new Set(all().map((got) => got.stream)).size, 1);
  const kinds = all()
    .filter((got) => got.meta.via === 'self')
    .map((got) => JSON.parse(got.raw.toString()).kind);
  assert.deepEqual([...new Set(kinds)], ['start'], 'nothing but starts was said, no loss among it');
});

const whyNotRoot = process.getuid?.() === 0 ? false : 'needs root, to become somebody else';

for (const [privileges, parameters, expected] of [
  ['no privileges', ['--inh-caps=-all', '--bounding-set=-all'], 'says what it may not read'],
  [
    'CAP_DAC_READ_SEARCH alone',
    [
      '--inh-caps=-all,+dac_read_search',
      '--ambient-caps=-all,+dac_read_search',
      '--bounding-set=-all,+dac_read_search',
    ],
    'reads all',
  ],
] as const) {
  test(`with ${privileges} it ${expected}`, { skip: whyNotRoot }, async (t) => {
    const uid = 61705;
    const asUser = [
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${uid}`,
      '--clear-groups',
      '--no-new-privs',
      ...parameters,
      '--',
    ];
    const at = place(t);
    fs.chmodSync(at.root, 0o755);
    const [trial = '', ...rest] = [
      ...asUser,
      process.execPath,
      '--eval',
      `require('node:fs').accessSync(${JSON.stringify(agentProgram)})`,
    ];
    if (spawnSync(trial, rest).status !== 0) {
      t.skip('the code is not readable for an unprivileged user here');
      return;
    }
    const { state, socket } = stateIn(at.root);
    fs.chownSync(join(state, 'spool'), uid, uid);
    fs.writeFileSync(join(at.logs, 'open.log'), 'for everyone\n');
    fs.writeFileSync(join(at.logs, 'closed.log'), 'for root\n', { mode: 0o600 });
    started(at, [process.execPath, serverProgram, socket, at.received], 'ignore');
    await until('the socket is there', () => fs.existsSync(socket));
    fs.chmodSync(socket, 0o666);
    const config = JSON.stringify({ state, logRoots: [at.logs], journal: 'off', kernelRing: 'off' });
    const agent = started(at, [...asUser, process.execPath, agentProgram, config], 'ignore');
    const all = (): Received[] => distinct(receivedIn(at.received));
    const isTold = (): boolean =>
      all().some((got) => got.raw.includes('"could-not-look"') && got.raw.includes('closed.log'));
    const isShipped = (): boolean => filesOf(all(), at.logs).includes('for root');
    await until('the open file is there', () => filesOf(all(), at.logs).includes('for everyone'));
    await until('the closed file is shipped or told', () => isTold() || isShipped());
    assert.deepEqual([isTold(), isShipped()], expected === 'reads all' ? [false, true] : [true, false]);
    agent.stdin?.end();
    await once(agent, 'exit');
  });
}
