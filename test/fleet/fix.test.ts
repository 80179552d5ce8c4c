import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { full, until } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { packages } from './cacti.ts';
import { startFleet, type Fleet, type Host } from './host.ts';
import { withHoldfast } from './with-holdfast.ts';

/** What a fix leaves where it is killed, where two collide, and where an operator locks himself out. */
const skip = noFleet() ?? false;
const endings: (() => Promise<void>)[] = [];
let host: Host;
let fleet: Fleet;
let socketFinding: z.infer<typeof report>['findings'][number] | undefined;
let openAfterAdvice: boolean;

const report = z.looseObject({
  findings: z.array(
    z.looseObject({
      severity: z.string(),
      title: z.string(),
      evidence: z.array(z.string()),
      options: z.array(z.looseObject({ step: z.string(), action: z.string() })),
    }),
  ),
});

before(async () => {
  if (skip !== false) return;
  fleet = await startFleet({ after: (end) => void endings.push(end) });
  host = await fleet.startHost(withHoldfast({ name: 'db', packages }));
  const { findings } = report.parse(JSON.parse(await host.ok(['holdfast', 'audit', '--json'])));
  socketFinding = findings.find(({ evidence }) => evidence.some((line) => line.includes('mariadb.socket')));
  const [advice = ''] = /^systemctl .*(?=: it then)/.exec(socketFinding?.options[0]?.action ?? '') ?? [];
  await host.ok(['sh', '-ec', advice]);
  openAfterAdvice = await isOpen(3306);
  writeFileSync(join(host.root, 'etc/mysql/mariadb.conf.d/60-lan.cnf'), '[mysqld]\nbind-address = *\n');
  await host.ok(['systemctl', 'restart', 'mariadb']);
});

after(async () => {
  for (const end of endings.toReversed()) await end();
});

const holdfast = async (...args: string[]): ReturnType<Host['run']> =>
  host.run(['holdfast', 'services', ...args]);

/** What of the configuration and of units is not as it was installed: nothing, unless a fix is there. */
const left = async (): Promise<string> =>
  host.ok([
    'sh',
    '-c',
    'ls /etc/mysql/mariadb.conf.d/*holdfast* /etc/ssh/sshd_config.d/*holdfast* /etc/systemd/system/*holdfast* /etc/systemd/system/nftables.service*/*holdfast* /etc/holdfast/* /run/holdfast-candidate-* 2>/dev/null; systemctl list-units --all --plain --no-legend "holdfast-undo-*.timer"',
  ]);

const isOpen = async (port: number): Promise<boolean> =>
  /(?:0\.0\.0\.0|\*|\[::\]):\d+\s/.test(
    (await host.ok(['ss', '-Hltn', `sport = :${port}`])).replaceAll('0.0.0.0:*', '').replaceAll('[::]:*', ''),
  );

/** Runs a fix that is killed by SIGKILL as soon as a step is on disk; what is told before has no journal yet. */
const killedAt = async (step: string): Promise<void> => {
  const script = `
    import { fix } from '/usr/src/holdfast/src/fix/index.ts';
    import { systemClock } from '/usr/src/holdfast/src/base/clock.ts';
    const program = ['/usr/local/bin/holdfast', 'services', 'undo'];
    await fix(
      {
        fixes: '/var/lib/holdfast/fixes',
        clock: systemClock(),
        undoCommand: (id) => [...program, id, '--guard'],
        async said(id, entry) { if (entry.step === '${step}' && entry.outcome !== 'told') process.kill(process.pid, 'SIGKILL'); },
      },
      { wanted: '3306', step: 'local only', allow: [], accept: new Set(), check: null, from: null, watchMs: 0, watchAfterMs: null, noted: null, confirmSeconds: 60 },
    );`;
  const node = `exec /usr/src/holdfast/node_modules/node-linux-*/bin/node --disable-warning=ExperimentalWarning --input-type=module --eval "$0"`;
  const { status } = await host.run(['sh', '-c', node, script]);
  assert.equal(status, null, `it was not killed at ${step}`);
};

test(
  'the socket unit that Debian enables with MariaDB is found, and what is advised shuts it',
  { skip },
  () => {
    assert.equal(socketFinding?.severity, 'high');
    assert.equal(
      socketFinding.title,
      'systemd, for mariadb.service, listens on every address, port 3306 (tcp)',
    );
    assert.deepEqual(
      socketFinding.options.map(({ step }) => step),
      ['local only', 'do not run', 'firewalled'],
    );
    assert.equal(openAfterAdvice, false);
  },
);

const steps = ['backup', 'guard', 'writing', 'restarting', 'proving', 'inside', 'outside', 'dependents'];

for (const step of full ? steps : ['restarting']) {
  test(`killed when '${step}' is on disk, it is put back by the next fix`, { skip }, async () => {
    await killedAt(step);
    const { stdout } = await holdfast('fix', 'tcp/1');
    assert.match(stdout, /✓ undone/);
    assert.equal(await left(), '');
    assert.equal(await isOpen(3306), true);
  });
}

test('a power cut in the middle: the next boot undoes it', { skip }, async () => {
  await killedAt('inside');
  assert.equal(await isOpen(3306), false);
  await host.powerCut();
  await host.start();
  await until('it is undone', async () => (await left()) === '');
  await until('it is open again', () => isOpen(3306));
});

test('of two fixes at the same time one is refused', { skip }, async () => {
  const both = await Promise.all([
    holdfast('fix', '3306', '--watch', '2s'),
    holdfast('fix', '3306', '--watch', '2s'),
  ]);
  assert.deepEqual(both.map(({ status }) => status).toSorted(), [0, 3]);
  assert.match(both.map(({ stderr }) => stderr).join(''), /another fix or undo is at work/);
});

test('a file that was changed since is not overwritten unasked', { skip }, async () => {
  const file = '/etc/mysql/mariadb.conf.d/zz-holdfast-local.cnf';
  await host.ok(['sh', '-c', `echo '# mine' >> ${file}`]);
  const refused = await holdfast('undo');
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /changed after the fix/);
  assert.match(await host.ok(['cat', file]), /# mine/);
  assert.equal((await holdfast('undo', '--overwrite')).status, 0);
  assert.equal(await left(), '');
});

test('a fix is undone after a reboot too', { skip }, async () => {
  assert.equal((await holdfast('fix', '3306', '--watch', '0s')).status, 0);
  await host.stop();
  await host.start();
  assert.equal(await isOpen(3306), false);
  assert.equal((await holdfast('undo')).status, 0);
  assert.equal(await isOpen(3306), true);
  assert.equal(await left(), '');
});

test('a check that fails before changes nothing; one that fails after undoes it', { skip }, async () => {
  const refused = await holdfast('fix', '3306', '--watch', '0s', '--check', 'false');
  assert.equal(refused.status, 3);
  assert.match(refused.stderr, /nothing was changed: the check fails before the fix already/);
  const address = host.address;
  const dials = `timeout 3 bash -c ': < /dev/tcp/${address}/3306'`;
  const { status, stdout } = await holdfast('fix', '3306', '--watch', '0s', '--check', dials);
  assert.equal(status, 1, stdout);
  assert.match(stdout, /✗ broke .*the check fails/);
  assert.equal(await isOpen(3306), true);
  assert.equal(await left(), '');
});

/** Connects once a second by the host's own name, for a moment; where it cannot, it ends after two seconds. */
const flapping = `[Service]
ExecStart=/bin/bash -c 'while (exec 3<>/dev/tcp/db/3306 && sleep 0.4); do sleep 0.6; done; sleep 2; exit 1'
Restart=always
RestartSec=100ms
[Unit]
StartLimitIntervalSec=0
`;

test(
  'a dependent that systemd starts again and again is broken, although it is active',
  { skip },
  async () => {
    writeFileSync(join(host.root, 'etc/systemd/system/flapping.service'), flapping);
    // Of whom no user at all is known, MariaDB hangs up on.
    const start = `mariadb -e "CREATE USER flapping@'%'"; systemctl daemon-reload; systemctl start flapping`;
    await host.ok(['sh', '-ec', start]);
    const fix = ['fix', '3306', '--watch', '5s', '--accept', 'lan-address-clients'];
    const { status, stdout, stderr } = await holdfast(...fix);
    assert.equal(status, 1, `${stdout}${stderr}`);
    assert.match(stdout, /✗ broke +flapping\.service ends again and again: systemd has started it \d+ times/);
    assert.match(stdout, /Undone, everything is as before/);
    assert.equal(await isOpen(3306), true);
    assert.equal(await left(), '');
    assert.equal((await host.ok(['systemctl', 'is-active', 'flapping'])).trim(), 'active');
    await host.ok(['systemctl', 'stop', 'flapping']);
  },
);

test('a knock that cannot be made any more is no proof', { skip }, async () => {
  const once = '#!/bin/sh\n[ ! -e /run/knocked ] || exit 1\ntouch /run/knocked\nexec bash -c "$1"\n';
  await host.ok([
    'sh',
    '-c',
    `printf %s '${once}' > /usr/local/bin/knock-once; chmod +x /usr/local/bin/knock-once`,
  ]);
  const broken = await holdfast('fix', '3306', '--watch', '0s', '--from', 'knock-once');
  assert.equal(broken.status, 1, `${broken.stdout}${broken.stderr}`);
  assert.match(broken.stdout, /✗ broke +from outside it cannot be told any more/);
  assert.equal(await isOpen(3306), true);
  const blind = ['fix', '3306', '--watch', '0s', '--from', 'false', '--accept', 'unproven-outside'];
  const unproven = await holdfast(...blind);
  assert.equal(unproven.status, 0, `${unproven.stdout}${unproven.stderr}`);
  assert.match(unproven.stdout, /Done, not proven from outside/);
  assert.equal((await holdfast('undo')).status, 0);
  assert.equal(await left(), '');
});

test(
  'who locks himself out is let in again, unless he says in time that he still comes in',
  { skip },
  async () => {
    const refused = await holdfast('fix', 'OpenSSH', '--watch', '0s');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /--accept lose-login/);

    const fix = ['fix', 'OpenSSH', '--watch', '0s', '--accept', 'lose-login', '--json', '--confirm-within'];
    const unconfirmed = await holdfast(...fix, '5s');
    assert.equal(unconfirmed.status, 0, unconfirmed.stderr);
    assert.equal(JSON.parse(unconfirmed.stdout).result, 'awaiting');
    await until('it is open again by itself', async () => isOpen(22));
    await until('nothing is left', async () => (await left()) === '');

    const kept = await holdfast(...fix, '60s');
    assert.equal(kept.status, 0, kept.stderr);
    assert.equal((await holdfast('fix', '--confirm', JSON.parse(kept.stdout).id)).status, 0);
    assert.equal(await isOpen(22), false);
    assert.doesNotMatch(await left(), /holdfast-undo/);
    assert.equal((await holdfast('undo')).status, 0);
    assert.equal(await left(), '');
  },
);

test('a service that is stopped is started again by the undo, and enabled as it was', { skip }, async () => {
  const { status, stdout } = await holdfast('fix', 'MariaDB', '--step', 'stop', '--watch', '0s');
  assert.equal(status, 0, stdout);
  const state = ['sh', '-c', 'systemctl is-active mariadb; systemctl is-enabled mariadb'];
  assert.equal((await host.run(state)).stdout, 'inactive\ndisabled\n');
  assert.equal((await holdfast('undo')).status, 0);
  assert.equal((await host.run(state)).stdout, 'active\nenabled\n');
});

test('a firewall lets in who is named and nobody else, also after a reboot', { skip }, async () => {
  const dial = ['timeout', '5', 'bash', '-c', `: < /dev/tcp/${host.address}/3306`];
  const { status, stdout, stderr } = await holdfast(
    'fix',
    '3306',
    '--step',
    'firewall',
    '--allow',
    fleet.network.address,
    '--watch',
    '0s',
  );
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.match(stdout, /✓ outside .*3306: refused \(before: open\)/);
  const again = await holdfast('fix', '3306', '--step', 'firewall', '--watch', '0s');
  assert.equal(again.status, 3);
  assert.match(again.stderr, /stands already .*: undo that one first/);
  assert.equal((await fleet.network.run(dial)).status, 0);
  for (const verb of ['start', 'reload', 'restart']) {
    await host.ok(['systemctl', verb, 'nftables.service']);
    assert.match(await host.ok(['nft', 'list', 'ruleset']), /tcp dport 3306 reject/, verb);
  }
  await host.stop();
  await host.start();
  assert.match(await host.ok(['nft', 'list', 'ruleset']), /tcp dport 3306 reject/);
  assert.equal((await holdfast('undo')).status, 0);
  assert.doesNotMatch(await host.ok(['nft', 'list', 'ruleset']), /holdfast/);
  assert.equal(await left(), '');
});
