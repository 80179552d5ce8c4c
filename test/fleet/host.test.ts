import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { alive, full, until } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { startFleet, startHost, type Context } from './host.ts';
import { programOf } from './process.ts';
import { knowsSuite, versionIn, type Suite } from './tree.ts';

/** What tests of whole hosts stand on: that they are whole, apart from this machine and from each other, and leave nothing. */
const reason = noFleet();
const skip = reason ?? false;

/** A context whose end the test itself brings about. */
const ending = (): Context & { end(): Promise<void> } => {
  const acts: (() => Promise<void>)[] = [];
  return {
    after: (act) => void acts.push(act),
    async end() {
      for (const act of acts.splice(0).toReversed()) await act();
    },
  };
};

/** Each further suite is another tree to make. */
const notTried = (suite: Suite): string | false => {
  if (suite !== 'bookworm' && !full) return `${suite} is tried by npm run test:full`;
  return knowsSuite(suite) ? false : `debootstrap here does not know ${suite}`;
};

for (const [suite, version] of [
  ['bookworm', '12'],
  ['trixie', '13'],
] as const satisfies readonly (readonly [Suite, string])[]) {
  test(
    `a host of ${suite}: its own init, journal, users, processes, network`,
    { skip: skip !== false ? skip : notTried(suite) },
    async (t) => {
      const started = performance.now();
      const host = await startHost(t, { suite, name: 'alpha' });
      const up = performance.now();
      assert.equal(versionIn(host.root), version);
      assert.equal((await host.ok(['systemctl', 'is-system-running'])).trim(), 'running');
      assert.equal((await host.ok(['cat', '/proc/1/comm'])).trim(), 'systemd');
      assert.equal((await host.ok(['hostname'])).trim(), 'alpha');
      assert.match(await host.ok(['ip', '-br', 'address', 'show', 'host0']), new RegExp(host.address));
      await host.ok(['logger', '-t', 'fleet', 'a line of its own']);
      await until('the line is in its journal', async () =>
        (await host.ok(['journalctl', '-t', 'fleet', '-o', 'cat'])).includes('a line of its own'),
      );
      assert.equal((await host.run(['sh', '-c', 'cat; exit 7'], { input: 'in' })).status, 7);
      assert.equal((await host.run(['cat'], { input: 'in' })).stdout, 'in');
      // What hardened units are made of works in it.
      const fenced = [
        'PrivateNetwork=yes',
        'ProtectSystem=strict',
        'DynamicUser=yes',
        'ProtectProc=invisible',
      ];
      const inUnit = await host.run([
        'systemd-run',
        '--quiet',
        '--wait',
        '--pipe',
        ...fenced.map((property) => `--property=${property}`),
        'sh',
        '-c',
        'ip -br link; touch /etc/planted',
      ]);
      assert.notEqual(inUnit.status, 0);
      assert.doesNotMatch(inUnit.stdout, /host0/);
      const checked = performance.now();
      await host.stop();
      t.diagnostic(
        `${suite}: started in ${Math.round(up - started)} ms, stopped in ${Math.round(performance.now() - checked)} ms`,
      );
    },
  );
}

test('hosts on one network reach each other by name, and this machine is not on it', { skip }, async (t) => {
  const fleet = await startFleet(t);
  const [one, two] = await Promise.all([
    fleet.startHost({ name: 'one', prepare: (root) => writeFileSync(join(root, 'etc', 'mark'), '1') }),
    fleet.startHost({ name: 'two' }),
  ]);
  assert.notEqual(one.address, two.address);
  assert.equal((await one.ok(['cat', '/etc/mark'])).trim(), '1');
  assert.equal(existsSync(join(two.root, 'etc', 'mark')), false);
  const listen = ['systemd-run', '--quiet', '--unit=echo', '--service-type=exec'];
  await two.ok([
    ...listen,
    'systemd-socket-activate',
    '-l',
    '7000',
    '--inetd',
    '-a',
    'echo',
    'hello from two',
  ]);
  const dial = 'exec 3<>/dev/tcp/$0/7000; cat <&3';
  await until(
    'one hears two',
    async () => (await one.run(['bash', '-c', dial, 'two'])).stdout.trim() === 'hello from two',
  );
  assert.equal((await fleet.network.run(['bash', '-c', dial, two.address])).stdout.trim(), 'hello from two');
  const { status, stdout } = spawnSync('timeout', ['2', 'bash', '-c', dial, two.address], {
    encoding: 'utf8',
  });
  assert.notEqual(status, 0);
  assert.equal(stdout, '');
});

test('what a host wrote is there after a stop in order and after a power cut', { skip }, async (t) => {
  const host = await startHost(t);
  await host.ok(['sh', '-c', 'echo kept > /var/lib/kept']);
  await host.stop();
  assert.equal(readFileSync(join(host.root, 'var', 'lib', 'kept'), 'utf8'), 'kept\n');
  await host.start();
  await host.powerCut();
  await host.start();
  assert.equal(await host.ok(['cat', '/var/lib/kept']), 'kept\n');
});

/** What is there of the hosts of a process, as far as it is no process. */
const leftOf = (pid: number): string[] => [
  ...readdirSync(tmpdir()).filter((name) => name.startsWith(`holdfast-fleet-${pid}-`)),
  ...readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes('holdfast-fleet-')),
  ...spawnSync('find', ['/sys/fs/cgroup', '-name', `holdfast-fleet-${pid}-*`], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean),
  ...(existsSync('/run/systemd/nspawn') ? readdirSync('/run/systemd/nspawn') : []),
];

test('nothing is left of hosts that are gone', { skip }, async () => {
  const before = leftOf(process.pid);
  const context = ending();
  const host = await startHost(context, { name: 'brief' });
  const init = host.init();
  assert.ok(existsSync(`/proc/${init}`));
  assert.ok(leftOf(process.pid).length > before.length);
  await context.end();
  assert.deepEqual(leftOf(process.pid), before);
  assert.equal(existsSync(`/proc/${init}/exe`), false);
});

test('hosts end with the process that started them, also where that is killed', { skip }, async () => {
  const script = `
    import { startHost } from ${JSON.stringify(join(import.meta.dirname, 'host.ts'))};
    const host = await startHost({ after() {} });
    console.log(host.init());
    setInterval(() => undefined, 1000);
  `;
  const starter = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = await once(starter.stdout, 'data');
  const init = Number(String(printed));
  assert.equal(programOf(init), 'systemd');
  starter.kill('SIGKILL');
  await until('its init is gone', () => !alive(init));
  // What of it is no process is taken away by whoever starts hosts next.
  const context = ending();
  await startHost(context);
  await context.end();
  assert.deepEqual(leftOf(starter.pid ?? 0), []);
});
