import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '#inspect';
import { finding } from '#wire/audit';
import { AdviseError } from './errors.ts';
import { knownServiceNamed, knownServices } from './known-services.ts';
import { action, holder, judged } from './listener.fixture.ts';

test('a public database: title, severity, ladder with the exact directive', () => {
  const mariadbd = holder('/usr/sbin/mariadbd', {
    user: 'mysql',
    uid: 105,
    unit: 'mariadb.service',
    package: 'mariadb-server-core',
  });
  const found = judged({ address: '::', port: 3306, v6only: false, processes: [mariadbd] });
  assert.equal(found.length, 1);
  const [one] = found;
  assert.equal(one?.title, 'mariadbd listens on every address, port 3306 (tcp)');
  assert.equal(one?.id, 'services/public-listener/tcp-[::]:3306');
  assert.equal(one?.severity, 'high');
  assert.deepEqual(
    one?.options.map(({ step }) => step),
    ['local only', 'do not install', 'do not run', 'firewalled'],
    'the smallest sensible step first, then the ladder',
  );
  assert.match(action(found, 'do not install') ?? '', /apt-get remove mariadb-server-core/);
  assert.equal(action(found, 'do not run'), 'systemctl disable --now mariadb.service');
  assert.match(
    action(found, 'local only') ?? '',
    /50-server\.cnf: bind-address=127\.0\.0\.1; check: mariadbd --help/,
  );
  assert.match(action(found, 'firewalled') ?? '', /tcp dport 3306/);
  assert.ok(
    one?.evidence.includes(
      'pid 812 /usr/sbin/mariadbd, user mysql, mariadb.service, package mariadb-server-core',
    ),
  );
  assert.doesNotThrow(() => finding.parse(one));
});

test('loopback, unix sockets and passing sockets are nothing to complain about', () => {
  assert.deepEqual(
    judged(
      { scope: 'local', address: '127.0.0.1' },
      { scope: 'container', protocol: 'unix', address: '/run/x.sock', port: null },
      { scope: 'container', transient: true, protocol: 'udp' },
      { protocol: 'unix', scope: 'local', address: '/run/x.sock', port: null },
      { protocol: 'udp', transient: true },
      { protocol: 'udp', port: 68, processes: [holder('/usr/sbin/dhclient', { uid: 0 })] },
    ),
    [],
  );
});

const severity = (more: Partial<Listener>) => judged(more)[0]?.severity;

const by = (exe: string, uid = 1) => [holder(exe, { uid })];

test('severity: passwordless, unknown, ssh, one network, root', () => {
  assert.equal(severity({ port: 6379, processes: by('/usr/bin/redis-server') }), 'critical');
  assert.equal(severity({ port: 11211, protocol: 'udp', processes: by('/usr/bin/memcached') }), 'critical');
  assert.equal(severity({ port: 27017, processes: by('/usr/bin/mongod') }), 'critical');
  assert.equal(severity({ port: 2375, processes: by('/usr/bin/dockerd', 0) }), 'critical');
  assert.equal(severity({ port: 2376, processes: by('/usr/bin/dockerd', 0) }), 'high');
  assert.equal(severity({}), 'medium');
  assert.equal(severity({ processes: by('/usr/sbin/thing', 0) }), 'high', 'root raises');
  assert.equal(severity({ processes: [...by('/usr/sbin/thing', 0), ...by('/usr/sbin/thing')] }), 'medium');
  assert.equal(severity({ port: 22, processes: by('/usr/sbin/sshd', 0) }), 'low', 'sshd is not alarming');
  assert.equal(severity({ scope: 'network', address: '10.0.0.5' }), 'low');
  assert.equal(
    severity({ port: 6379, scope: 'network', address: '10.0.0.5', processes: by('/usr/bin/redis-server') }),
    'high',
  );
  assert.equal(severity({ protocol: 'udp', port: 40000, transient: false }), 'low');
});

test('ssh: narrow it, never remove it', () => {
  const found = judged({
    port: 22,
    processes: [holder('/usr/sbin/sshd', { unit: 'ssh.service', package: 'openssh-server', uid: 0 })],
  });
  const steps = found[0]?.options.map(({ step }) => step) ?? [];
  assert.ok(!steps.includes('do not install') && !steps.includes('do not run'));
  assert.equal(steps[0], 'configure');
  assert.match(action(found, 'configure') ?? '', /PasswordAuthentication no.*keep this session open/);
  assert.match(action(found, 'firewalled') ?? '', /your own address.*lock you out/);
});

test('an unseen holder is to be investigated', () => {
  const found = judged({
    holder: 'unseen',
    processes: [],
    uid: 0,
    port: 2024,
    whyUnseen: 'descriptors could not be read',
  });
  assert.equal(found[0]?.severity, 'medium');
  assert.equal(found[0]?.options[0]?.step, 'investigate');
  assert.match(found[0]?.options[0]?.action ?? '', /:2024/);
  assert.ok(
    found[0]?.evidence.some((line) =>
      line.includes('descriptors could not be read; the socket belongs to user id 0'),
    ),
  );
});

test('what systemd holds is changed in the socket unit', () => {
  const found = judged({
    holder: 'systemd',
    port: 111,
    processes: [holder('/usr/lib/systemd/systemd', { pid: 1, uid: 0 })],
    socketUnit: 'rpcbind.socket',
    activates: 'rpcbind.service',
  });
  assert.equal(
    found[0]?.title,
    'systemd, for rpcbind.service, listens on every IPv4 address, port 111 (tcp)',
  );
  assert.equal(found[0]?.severity, 'high');
  assert.equal(action(found, 'do not run'), 'systemctl disable --now rpcbind.socket rpcbind.service');
  assert.match(
    action(found, 'local only') ?? '',
    /write ListenStream=, .*127\.0\.0\.1:111 .*systemctl stop rpcbind\.socket rpcbind\.service && systemctl start/,
  );
});

test('the socket unit that Debian 12 enables with MariaDB is found, whether the daemon runs or not', () => {
  const init = holder('/usr/lib/systemd/systemd', { pid: 1, uid: 0, package: 'systemd' });
  const daemon = holder('/usr/sbin/mariadbd', { unit: 'mariadb.service', package: 'mariadb-server-core' });
  for (const processes of [[init], [init, daemon]]) {
    const found = judged({
      holder: 'systemd',
      address: '::',
      port: 3306,
      v6only: false,
      processes,
      socketUnit: 'mariadb.socket',
      activates: 'mariadb.service',
    });
    assert.equal(found[0]?.severity, 'high');
    assert.match(
      found[0]?.evidence.join('\n') ?? '',
      /held through mariadb\.socket: the address is set there, whatever MariaDB is told in its own configuration/,
    );
    assert.match(
      action(found, 'local only') ?? '',
      /^systemctl disable --now mariadb\.socket && systemctl restart mariadb\.service: .*bind-address=127\.0\.0\.1$/,
    );
  }
});

test('kernel and forwarders', () => {
  const nfs = judged({ holder: 'kernel', processes: [], port: 2049, kernelService: 'nfsd' });
  assert.equal(nfs[0]?.title, 'The kernel (nfsd) listens on every IPv4 address, port 2049 (tcp)');
  assert.equal(nfs[0]?.severity, 'high');
  assert.match(action(nfs, 'local only') ?? '', /nfs\.conf/);

  const docker = judged({
    holder: 'forwarder',
    port: 8080,
    forwardsTo: '172.17.0.2:80',
    processes: [holder('/usr/bin/docker-proxy', { uid: 0, package: 'docker-ce' })],
  });
  assert.match(docker[0]?.title ?? '', /^docker-proxy, for 172\.17\.0\.2:80, listens/);
  assert.match(action(docker, 'local only') ?? '', /127\.0\.0\.1:8080/);
  assert.match(action(docker, 'firewalled') ?? '', /DOCKER-USER/);
  assert.equal(action(docker, 'do not install'), undefined);
});

test('the IPv4 and the IPv6 wildcard of one service are one finding', () => {
  const found = judged(
    { port: 80 },
    { port: 80, address: '::', v6only: true },
    { port: 81, address: '::', v6only: true, processes: [holder('/usr/sbin/other')] },
  );
  assert.deepEqual(
    found.map(({ id, title }) => [id, title]),
    [
      ['services/public-listener/tcp-[::]:80', 'thing listens on every address, port 80 (tcp)'],
      ['services/public-listener/tcp-[::]:81', 'other listens on every IPv6 address, port 81 (tcp)'],
    ],
  );
});

test('an interpreter is named by its script and is not to be removed', () => {
  const found = judged({
    processes: [
      holder('/usr/bin/python3.11', {
        script: '/srv/app.py',
        package: 'python3.11-minimal',
        interpreter: true,
      }),
    ],
  });
  assert.match(found[0]?.title ?? '', /^python3\.11 \(\/srv\/app\.py\) listens/);
  assert.equal(action(found, 'do not install'), undefined);
  assert.equal(action(found, 'do not run'), 'stop process 812, and whatever starts it');
});

test('a sniffer is worth a look, a DHCP client is not', () => {
  const packet = { protocol: 'packet', address: 'eth0', port: 3 } as const;
  assert.equal(judged({ ...packet, processes: [holder('/usr/bin/tcpdump')] })[0]?.severity, 'low');
  assert.deepEqual(judged({ ...packet, processes: [holder('/usr/sbin/dhclient')] }), []);
});

const unique = (all: readonly string[]) => assert.deepEqual(all, [...new Set(all)]);

test('the table of known services: no name, executable or unit twice, and a test or an apply step for each', () => {
  unique(knownServices.map(({ name }) => name));
  unique(knownServices.flatMap(({ executables }) => executables));
  unique(knownServices.flatMap(({ units }) => units ?? []));
  for (const { name, localOnly } of knownServices) assert.notEqual(localOnly?.apply, '', name);
  assert.match(knownServiceNamed('Redis').localOnly?.directive ?? '', /bind 127/);
  assert.throws(
    () => knownServiceNamed('nothing'),
    (error: unknown) => error instanceof AdviseError && error.code === 'unknown-service',
  );
});
