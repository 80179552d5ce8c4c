import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { ready as readySchema, type Ready } from '#wire/ready';
import { full, root, until } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { startFleet, type Fleet, type Host } from './host.ts';
import {
  all,
  at,
  attempts,
  everybody,
  rows,
  running,
  state,
  stranger,
  type Attempt,
  type UnitName,
} from './rows.ts';
import { knowsSuite, type Suite } from './tree.ts';

/**
 * deploy/install.sh on a host that has never seen Holdfast, and then the table of docs/architecture.md: every thing of
 * the state directory, every socket, every network is tried in the sandbox of every unit. What is not in the row fails.
 */
const reason = noFleet();
const skip = reason ?? false;
const suite: Suite = full && knowsSuite('trixie') ? 'trixie' : 'bookworm';

let fleet: Fleet;
let host: Host;

const endings: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of endings) await end();
});

before(async () => {
  if (skip !== false) return;
  // What is installed is this clone as it is; in it everything is built.
  const built = spawnSync(process.execPath, [join(root, 'tools', 'bootstrap.cjs'), 'build'], {
    encoding: 'utf8',
  });
  assert.equal(built.status, 0, built.stderr);
  fleet = await startFleet({ after: (end) => void endings.push(end) });
  host = await fleet.startHost({
    name: 'log',
    suite,
    // A host without a network: the dependencies are there already.
    bind: [
      { from: root, to: '/usr/src/holdfast' },
      { from: join(root, 'node_modules'), to: '/opt/holdfast/node_modules' },
    ],
  });
});

/**
 * nspawn gives a host a boot of its own by a mount on /proc. A unit with a /proc of its own does not see it, and
 * `journalctl --follow` shows this boot alone. Only here: the agent gets that mount too.
 */
const showBoot = async (): Promise<void> => {
  const id = '/proc/sys/kernel/random/boot_id';
  const directory = '/etc/systemd/system/holdfast-agent.service.d';
  await host.ok(['sh', '-ec', `cat ${id} > /run/boot; mkdir -p ${directory}; cat > ${directory}/boot.conf`], {
    input: `[Service]\nBindReadOnlyPaths=/run/boot:${id}\n`,
  });
};

const install = async (...args: readonly string[]) =>
  host.run(['sh', '/usr/src/holdfast/deploy/install.sh', ...args], { milliseconds: 240_000 });

let readyFile: string;
const ready = (): Ready => readySchema.parse(JSON.parse(readFileSync(readyFile, 'utf8')));

test('one script installs it, makes the vault, and everything serves', { skip }, async (t) => {
  readyFile = join(host.root, state, 'run', 'ready.json');
  await showBoot();
  const started = performance.now();
  const { status, stdout, stderr } = await install();
  assert.equal(status, 0, `${stdout}${stderr}${await host.ok(['journalctl', '--no-pager', '-n', '200'])}`);
  assert.match(stdout, /made the vault log\/holdfast\/[0-9a-f]{8}/);
  assert.match(stdout, /everything serves/);
  t.diagnostic(`installed in ${((performance.now() - started) / 1000).toFixed(1)} s on ${suite}`);
  assert.deepEqual(Object.keys(ready().processes).toSorted(), running.toSorted());
  assert.equal((await host.ok(['systemctl', 'is-system-running'])).trim(), 'running');
});

test(
  'a line from logger is found, the vault verifies, the listeners are those of its processes',
  { skip },
  async () => {
    await host.ok(['logger', '--udp', '--server', '127.0.0.1', '--port', '5514', 'hello from deploy']);
    await host.ok(['logger', '-t', 'local', 'hello by the journal']);
    for (const [query, via] of [
      ['"hello from deploy"', 'syslog'],
      ['"hello by the journal"', 'journal'],
    ] as const) {
      await until(
        `${query} is found`,
        async () =>
          (await host.ok(['holdfast', 'logs', 'search', '--json', query])).includes(`"via":"${via}`),
        60_000,
      );
    }
    assert.equal((await host.run(['holdfast', 'vault', 'verify'])).status, 0);
    const listed = await host.ok(['holdfast', 'services', 'list', '--json']);
    assert.match(listed, /"unit":"holdfast-receiver\.service"/);
    await until(
      'the facts of this host are in the log',
      async () =>
        (await host.ok(['holdfast', 'logs', 'search', '--json', 'app:holdfast via:fact'])).includes(
          '"via":"fact"',
        ),
      60_000,
    );
    await until(
      'the audit is there for the console',
      () => existsSync(join(host.root, state, 'run', 'audit.json')),
      120_000,
    );
  },
);

/**
 * Runs the probe in a unit that is the installed one to the letter, but for what it starts.
 * @returns for each attempt `yes` or the code of the error
 */
const tried = async (name: UnitName, what: readonly Attempt[]): Promise<string[]> => {
  const unit = `holdfast-probe-${name}.service`;
  const installed = readFileSync(join(host.root, 'etc/systemd/system', `holdfast-${name}.service`), 'utf8');
  const replaced = installed
    .split('\n')
    .filter((line) => !/^(ExecStart|ExecStartPre|ExecStartPost|Type|PartOf|ConditionPathExists)=/.test(line))
    .join('\n')
    .replace(
      '[Service]\n',
      `[Service]\nType=oneshot\nEnvironment=WHAT=${JSON.stringify(JSON.stringify(what)).replaceAll('%', '%%')}\n` +
        'ExecStart=/opt/holdfast/node /opt/holdfast/probe.mjs ${WHAT}\n',
    );
  await host.ok(['sh', '-c', `mkdir -p /run/systemd/system; cat > /run/systemd/system/${unit}`], {
    input: replaced,
  });
  await host.ok(['systemctl', 'daemon-reload']);
  const { status } = await host.run(['systemctl', 'start', unit]);
  await host.ok(['journalctl', '--sync']);
  const said = await host.ok(['journalctl', '--quiet', '-o', 'cat', '-u', unit]);
  await host.ok(['rm', `/run/systemd/system/${unit}`]);
  assert.equal(status, 0, said);
  const results = /^probe (\[.*\])$/m.exec(said)?.[1];
  assert.ok(results !== undefined, said);
  return JSON.parse(results);
};

test('every row of the table of processes, tried in the sandbox of its unit', { skip }, async (t) => {
  copyFileSync(join(import.meta.dirname, 'probe.mjs'), join(host.root, 'opt/holdfast/probe.mjs'));
  const listener = fleet.network.run(
    [
      'timeout',
      '200',
      process.execPath,
      '-e',
      `require('net').createServer((s) => s.end()).listen(${stranger})`,
    ],
    { milliseconds: 210_000 },
  );
  const segments = readdirSync(join(host.root, state, 'vault/segment'), {
    recursive: true,
    withFileTypes: true,
  });
  const file = segments.find((entry) => entry.isFile());
  assert.ok(file);
  const segment = join(file.parentPath, file.name).slice(join(host.root, state).length + 1);
  const what = attempts(segment, fleet.network.address, ready().supervisorPid);
  const shown = ([action, target]: Attempt): string =>
    `${action} ${target.replace(`${state}/`, '').replace(segment, 'SEGMENT').replace(`${fleet.network.address}:${stranger}`, 'STRANGER')}`;
  const results = new Map<UnitName, string[]>();
  for (const name of all) results.set(name, await tried(name, what));
  printTable(t, what.map(shown), results);
  const wrong: string[] = [];
  for (const [name, outcomes] of results) {
    const may = new Set([...rows[name], ...everybody]);
    what.forEach((attempt, i) => {
      const outcome = outcomes[i] ?? 'nothing';
      if (may.delete(shown(attempt)) !== (outcome === 'yes'))
        wrong.push(`${name}: ${shown(attempt)}: ${outcome}`);
    });
    for (const untried of may) wrong.push(`${name}: ${untried}: not tried`);
  }
  assert.deepEqual(wrong, []);
  void listener.catch(() => undefined);
});

const printTable = (
  t: TestContext,
  labels: readonly string[],
  results: ReadonlyMap<UnitName, readonly string[]>,
): void => {
  const width = Math.max(...labels.map((label) => label.length));
  t.diagnostic(`${''.padEnd(width)} ${[...results.keys()].map((name) => name.padEnd(10)).join('')}`);
  labels.forEach((label, i) => {
    const cells = [...results.values()].map((outcomes) => (outcomes[i] === 'yes' ? 'yes' : '–').padEnd(10));
    t.diagnostic(`${label.padEnd(width)} ${cells.join('')}`.trimEnd());
  });
};

test('what is left open is little, as systemd-analyze sees it', { skip }, async (t) => {
  for (const name of all) {
    const said = await host.ok(['systemd-analyze', 'security', '--no-pager', `holdfast-${name}.service`]);
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
    t.diagnostic(`holdfast-${name}.service`.padEnd(28) + exposure);
    assert.ok(exposure <= 2, `${name}: ${said}`);
  }
});

test('a process that is killed is started again, and nothing acknowledged is lost', { skip }, async () => {
  await host.ok(['logger', '--tcp', '--server', '127.0.0.1', '--port', '5514', 'before the kill']);
  for (const name of running) {
    const { pid } = ready().processes[name] ?? {};
    assert.ok(pid !== undefined, name);
    await host.ok(['systemctl', 'kill', '--signal=KILL', `holdfast-${name}.service`]);
    await until(
      `${name} serves again`,
      () => existsSync(readyFile) && ![undefined, pid].includes(ready().processes[name]?.pid),
      60_000,
    );
  }
  await until(
    'the line is found',
    async () =>
      (await host.ok(['holdfast', 'logs', 'search', '--json', '"before the kill"'])).includes('"count":1'),
    60_000,
  );
});

test(
  'the script may be run again, up leaves the state alone, and the log outlives the program',
  { skip },
  async () => {
    const { vkey } = ready();
    const again = await install();
    assert.equal(again.status, 0, again.stderr);
    assert.doesNotMatch(again.stdout, /made the vault/);
    assert.equal(ready().vkey, vkey);
    const up = await host.run(['holdfast', 'up']);
    assert.equal(up.status, 2);
    assert.match(up.stderr, /systemctl start holdfast\.target/);

    const { status, stderr } = await install('--uninstall');
    assert.equal(status, 0, stderr);
    assert.equal(existsSync(readyFile), false);
    await host.ok(['systemctl', 'daemon-reload']);
    assert.equal(
      (await host.run(['systemctl', 'list-unit-files', '--no-legend', 'holdfast*'])).stdout.trim(),
      '',
    );
    assert.equal((await host.run(['pgrep', '-f', '/opt/holdfast'])).status, 1);
    assert.deepEqual(readdirSync(join(host.root, 'opt/holdfast')), ['node_modules']);
    assert.equal((await host.ok(['cat', at('keys/vault.vkey')])).trim(), vkey);

    // A vault that was here and is not is no reason to begin another.
    await host.ok(['mv', at('keys'), '/root/keys']);
    const missing = await install();
    assert.equal(missing.status, 2);
    assert.match(missing.stderr, /is missing from/);
    await host.ok(['sh', '-c', `rm -rf ${at('keys')}; mv /root/keys ${at('keys')}`]);
    assert.equal((await install()).status, 0);
    assert.equal(ready().vkey, vkey);
    await until(
      'what was logged before is found',
      async () =>
        (await host.ok(['holdfast', 'logs', 'search', '--json', '"hello from deploy"'])).includes(
          '"count":1',
        ),
      60_000,
    );
  },
);
