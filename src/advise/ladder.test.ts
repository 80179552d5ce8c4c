import assert from 'node:assert/strict';
import { test } from 'node:test';
import { action, holder, judged, judgedUnder, steps } from './listener.fixture.ts';

const mariadb = {
  port: 3306,
  processes: [
    holder('/usr/sbin/mariadbd', { unit: 'mariadb.service', package: 'mariadb-server-core', user: 'mysql' }),
  ],
};

test('nothing that the system needs is to be removed, nor what only runs here by chance', () => {
  const removal = (...process: Parameters<typeof holder>) =>
    action(judged({ processes: [holder(...process)] }), 'do not install');
  assert.equal(
    removal('/usr/bin/perl', { package: 'perl-base', packageRequired: true, interpreter: true }),
    undefined,
  );
  assert.equal(
    removal('/usr/bin/java', { package: 'openjdk-17-jre-headless', interpreter: true }),
    undefined,
  );
  assert.equal(removal('/usr/sbin/thing', { packageRequired: true }), undefined);
  assert.equal(removal('/usr/bin/printer', { package: 'coreutils' }), undefined);
  assert.match(removal('/usr/sbin/thing') ?? '', /apt-get remove thing-server/);
  assert.match(removal('/usr/sbin/cupsd', { package: 'cups-daemon' }) ?? '', /apt-get remove cups-daemon/);
});

test('what stopping would destroy is looked at first', () => {
  const first = (...process: Parameters<typeof holder>) =>
    judged({ processes: [holder(...process)] })[0]?.options[0];
  for (const one of [
    first('/tmp/x', { package: null }),
    first('/usr/sbin/thing', { deleted: true }),
    first('/usr/bin/perl', { package: 'perl-base', interpreter: true }),
  ]) {
    assert.equal(one?.step, 'investigate');
    assert.match(one?.action ?? '', /\/proc\/812\/cmdline/);
  }
  assert.equal(first('/usr/sbin/thing')?.step, 'local only');
});

test('the recommended step is first, the others are in the order of the ladder', () => {
  assert.deepEqual(steps(judged(mariadb)), ['local only', 'do not install', 'do not run', 'firewalled']);
  const rpcbind = { port: 111, processes: [holder('/sbin/rpcbind', { package: 'rpcbind' })] };
  assert.deepEqual(steps(judged(rpcbind)), ['do not run', 'do not install', 'local only', 'firewalled']);
  const nginx = { port: 80, processes: [holder('/usr/sbin/nginx', { package: 'nginx' })] };
  assert.equal(steps(judged(nginx))[0], 'firewalled');
});

test('without systemd no step names systemctl', () => {
  const processes = mariadb.processes.map((one) => ({ ...one, unit: 'mariadb.service' }));
  const found = judgedUnder('other', { ...mariadb, processes });
  assert.match(action(found, 'local only') ?? '', /then service mariadb restart/);
  assert.equal(action(found, 'do not run'), 'stop process 812, and whatever starts it');
  const jenkins = holder('/usr/bin/java', { script: '/usr/share/java/jenkins.war', interpreter: true });
  const rpcbind = holder('/sbin/rpcbind', { package: 'rpcbind' });
  for (const one of [found, judgedUnder('other', { processes: [jenkins] }, { processes: [rpcbind] })])
    assert.doesNotMatch(JSON.stringify(one), /systemctl|systemd-analyze|\[Service\]|\[Socket\]/);
  assert.match(action(judged(mariadb), 'local only') ?? '', /then systemctl restart mariadb\.service/);
});

test('the firewall: look first, both address families, in one transaction, to stay, and not to lock oneself out', () => {
  const rule = action(judged(mariadb), 'firewalled') ?? '';
  assert.match(rule, /see first what filters here: nft list ruleset/);
  assert.match(
    rule,
    /nft 'insert rule inet filter input tcp dport 3306 iifname != lo drop; insert rule inet filter input tcp dport 3306 ip saddr <network> accept'/,
  );
  assert.match(rule, /\/etc\/nftables\.conf/);
  assert.doesNotMatch(rule, /lock you out/);
  const login = { port: 22, processes: [holder('/usr/sbin/dropbear', { package: 'dropbear-bin' })] };
  assert.match(action(judged(login), 'firewalled') ?? '', /lock you out/);
  const two = judged({ port: 80 }, { port: 81 }, { port: 53, protocol: 'udp' });
  assert.match(action(two, 'firewalled') ?? '', /udp dport 53 .*tcp dport \{ 80, 81 \}/);
});
