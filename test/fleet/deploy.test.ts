import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ready as readySchema, type Ready } from '#wire/ready';
import { documentedCommands } from '../harness/documents.ts';
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
import type { Outcome } from './run.ts';
import { printTable, tried } from './tried.ts';
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

/** What an operator writes who has other hosts. */
const configuration = `
listen = [
  "syslog-tcp=127.0.0.1:5514",
  "syslog-udp=127.0.0.1:5514",
  "https=0.0.0.0:8443",
  "agent=0.0.0.0:6516",
]
publish = "0.0.0.0:7000"
`;

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
    prepare(its) {
      mkdirSync(join(its, 'etc/holdfast'));
      writeFileSync(join(its, 'etc/holdfast/holdfast.toml'), configuration);
      // As the page says for `publish =`.
      cpSync(
        join(root, 'deploy/drop-ins/holdfast-publisher.service.d'),
        join(its, 'etc/systemd/system/holdfast-publisher.service.d'),
        { recursive: true },
      );
    },
  });
});

/**
 * nspawn gives a host a boot of its own by a mount on /proc. On Debian 12 a unit with a /proc of its own does not see it,
 * and `journalctl --follow` shows this boot alone. Only here: the agent gets that mount too.
 */
const showBoot = async (): Promise<void> => {
  const id = '/proc/sys/kernel/random/boot_id';
  const directory = '/etc/systemd/system/holdfast-agent.service.d';
  await host.ok(['sh', '-ec', `cat ${id} > /run/boot; mkdir -p ${directory}; cat > ${directory}/boot.conf`], {
    input: `[Service]\nBindReadOnlyPaths=/run/boot:${id}\n`,
  });
};

const found = async (query: string): Promise<string> =>
  host.ok(['holdfast', 'logs', 'search', '--json', query]);

/** The commands of docs/deploy.md: each is run here, where its time has come. */
const documented = new Set(
  documentedCommands().flatMap(({ file, line }) => (file === 'docs/deploy.md' ? [line] : [])),
);
// This host has no network; what installs brings its own.
documented.delete('apt-get install -y nodejs npm');

const shown = async (line: string): Promise<Outcome> => {
  const command = `cd /usr/src/holdfast && ${line}`;
  const outcome = await host.run(['sh', '-c', command], { milliseconds: 600_000 });
  if (outcome.status === 0) documented.delete(line);
  return outcome;
};

const install = async (): Promise<Outcome> => shown('deploy/install.sh');

let readyFile: string;
const ready = (): Ready => readySchema.parse(JSON.parse(readFileSync(readyFile, 'utf8')));

test('one script installs it, makes the vault, and everything serves', { skip }, async (t) => {
  readyFile = join(host.root, state, 'run', 'ready.json');
  if (suite === 'bookworm') await showBoot();
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
      await until(`${query} is found`, async () => (await found(query)).includes(`"via":"${via}`));
    }
    assert.equal((await host.run(['holdfast', 'vault', 'verify'])).status, 0);
    const listed = await host.ok(['holdfast', 'services', 'list', '--json']);
    assert.match(listed, /"unit":"holdfast-receiver\.service"/);
    await until('the facts of this host are in the log', async () =>
      (await found('app:holdfast via:fact')).includes('"via":"fact"'),
    );
    await until(
      'the audit is there for the console',
      () => existsSync(join(host.root, state, 'run', 'audit.json')),
      120_000,
    );
  },
);

/** A second host, on which nothing but `holdfast agent` runs. */
test('another host gets a certificate, sends under its name, and witnesses the log', { skip }, async () => {
  const web = await fleet.startHost({ name: 'web', suite, bind: [{ from: root, to: '/usr/src/holdfast' }] });
  const holdfast = '/usr/src/holdfast/bin/holdfast';
  const { token, command } = JSON.parse(await host.ok(['holdfast', 'hosts', 'token', 'web', '--json']));
  assert.match(command, /^holdfast hosts enrol web --server log:8443 --fingerprint sha256:/);
  await web.ok([holdfast, ...command.split(' ').slice(1)], { input: `${token}\n` });
  copyFileSync(join(host.root, state, 'keys/vault.vkey'), join(web.root, 'etc/vault.vkey'));
  const start = async (): Promise<void> => {
    const witnessing = ['--publisher', 'http://log:7000', '--log', '/etc/vault.vkey'];
    await web.ok(['systemd-run', '--unit=agent', holdfast, 'agent', '--server', 'log:6516', ...witnessing]);
  };
  await start();
  await web.ok(['logger', '-t', 'remote', 'hello from another host']);
  await until('its line is found', async () =>
    /"count":1/.test(await found(`source:${web.address} "hello from another host"`)),
  );
  assert.match(
    await host.ok(['holdfast', 'logs', 'sources']),
    new RegExp(`^${web.address} +web +\\d+`, 'm'),
    'under the name in its certificate',
  );

  // Strangers' cosignatures count where the log asks for them.
  const vkeyFile = join(web.root, state, 'spool/witness/witness.vkey');
  await until('it has a key', () => existsSync(vkeyFile));
  const vkey = readFileSync(vkeyFile, 'utf8').trim();
  await web.ok(['systemctl', 'stop', 'agent']);
  writeFileSync(
    join(host.root, 'etc/holdfast/holdfast.toml'),
    `${configuration}witness = [${JSON.stringify(vkey)}]\n`,
  );
  const restarted = await shown(
    'holdfast config check --config /etc/holdfast/holdfast.toml && systemctl restart holdfast.target',
  );
  assert.equal(restarted.status, 0, `${restarted.stdout}${restarted.stderr}`);
  await until('everything serves again', () => existsSync(readyFile));
  await start();
  await until(
    'a checkpoint is witnessed',
    () => existsSync(join(host.root, state, 'vault/checkpoint.witnessed')),
    120_000,
  );
  const verified = await host.run(['holdfast', 'vault', 'verify', '--witness', vkey]);
  assert.equal(verified.status, 0, `${verified.stdout}${verified.stderr}`);
  await web.powerCut();
});

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
    { milliseconds: 600_000 },
  );
  const segments = readdirSync(join(host.root, state, 'vault/segment'), {
    recursive: true,
    withFileTypes: true,
  });
  const file = segments.find((entry) => entry.isFile());
  assert.ok(file);
  const segment = join(file.parentPath, file.name).slice(join(host.root, state).length + 1);
  const what = attempts(segment, fleet.network.address, ready().supervisorPid);
  const labelOf = ([action, target]: Attempt): string =>
    `${action} ${target.replace(`${state}/`, '').replace(segment, 'SEGMENT').replace(`${fleet.network.address}:${stranger}`, 'STRANGER')}`;
  const results = new Map<UnitName, string[]>();
  for (const name of all) results.set(name, await tried(host, name, what));
  printTable(t, what.map(labelOf), results);
  const wrong: string[] = [];
  for (const [name, outcomes] of results) {
    const may = new Set([...rows[name], ...everybody]);
    what.forEach((attempt, i) => {
      const outcome = outcomes[i] ?? 'nothing';
      if (may.delete(labelOf(attempt)) !== (outcome === 'yes'))
        wrong.push(`${name}: ${labelOf(attempt)}: ${outcome}`);
    });
    for (const untried of may) wrong.push(`${name}: ${untried}: not tried`);
  }
  assert.deepEqual(wrong, []);
  void listener.catch(() => undefined);
});

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
    );
  }
  await until('the line is found', async () => (await found('"before the kill"')).includes('"count":1'));
});

test(
  'the script may be run again, up leaves the state alone, and the log outlives the program',
  { skip },
  async () => {
    const { vkey } = ready();
    for (const line of [
      "systemctl status 'holdfast*'",
      "journalctl -u 'holdfast-*'",
      'systemctl stop holdfast.target',
      'systemctl start holdfast.target',
    ]) {
      const { status, stdout, stderr } = await shown(line);
      assert.equal(status, 0, `${line}\n${stdout}${stderr}`);
    }
    const again = await install();
    assert.equal(again.status, 0, again.stderr);
    assert.doesNotMatch(again.stdout, /made the vault/);
    assert.equal(ready().vkey, vkey);
    const up = await host.run(['holdfast', 'up']);
    assert.equal(up.status, 2);
    assert.match(up.stderr, /systemctl start holdfast\.target/);

    const { status, stderr } = await shown('deploy/install.sh --uninstall');
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
    // With what it brings along for who has written nothing: no listener speaks TLS, so there is no issuer.
    await host.ok(['rm', '/etc/holdfast/holdfast.toml']);
    assert.equal((await install()).status, 0);
    assert.equal(ready().vkey, vkey);
    assert.deepEqual(
      Object.keys(ready().processes).toSorted(),
      running.filter((name) => name !== 'issuer').toSorted(),
    );
    await until('what was logged before is found', async () =>
      (await found('"hello from deploy"')).includes('"count":1'),
    );
    assert.deepEqual([...documented], [], 'commands of docs/deploy.md that were not run');
  },
);
