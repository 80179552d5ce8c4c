import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '#inspect';
import { holder, judged } from './listener.fixture.ts';

test('one program on many ports is one finding, and buries nothing', () => {
  const many = [18001, 18002, 18003, 18004, 18005, 18006, 18007].map((port) => ({
    port,
    processes: [holder('/usr/sbin/thing', { uid: 0, user: 'root', pid: port })],
  }));
  const found = judged(...many, { port: 25, processes: [holder('/usr/sbin/mailer', { uid: 8 })] });
  assert.deepEqual(
    found.map(({ id, severity, title }) => [id, severity, title]),
    [
      [
        'services/public-listener/tcp-0.0.0.0:18001',
        'high',
        'thing listens on 7 ports of every IPv4 address: tcp 18001, 18002, 18003, 18004, 18005, 18006, 18007',
      ],
      [
        'services/public-listener/tcp-0.0.0.0:25',
        'medium',
        'mailer listens on every IPv4 address, port 25 (tcp)',
      ],
    ],
  );
  for (const { port } of many) assert.ok(found[0]?.evidence.includes(`tcp 0.0.0.0:${port}`), String(port));
  assert.ok(found[0]?.evidence.includes('and 4 more processes have it open'));
});

test('another user, program, unit, scope or severity is another finding', () => {
  const thing = (more: Parameters<typeof holder>[1], exe = '/usr/sbin/thing') => [holder(exe, more)];
  const found = judged(
    { port: 1 },
    { port: 2, processes: thing({ user: 'other', uid: 2 }) },
    { port: 3, processes: thing({ unit: 'thing@2.service' }) },
    { port: 4, processes: thing({}, '/usr/sbin/another') },
    { port: 5, scope: 'network', address: '10.0.0.5' },
    { port: 6 },
  );
  assert.deepEqual(
    found.map(({ evidence }) => evidence.filter((line) => line.startsWith('tcp '))),
    [
      ['tcp 0.0.0.0:1', 'tcp 0.0.0.0:6'],
      ['tcp 0.0.0.0:2'],
      ['tcp 0.0.0.0:3'],
      ['tcp 0.0.0.0:4'],
      ['tcp 10.0.0.5:5'],
    ],
  );
});

test('the forwarders of one container are one, those of two are two', () => {
  const proxy = (port: number, forwardsTo: string): Partial<Listener> => ({
    port,
    forwardsTo,
    holder: 'forwarder',
    processes: [holder('/usr/bin/docker-proxy', { pid: port })],
  });
  assert.equal(judged(proxy(80, '172.17.0.2:80'), proxy(443, '172.17.0.2:443')).length, 1);
  assert.equal(judged(proxy(80, '172.17.0.2:80'), proxy(81, '172.17.0.3:80')).length, 2);
});

test('ids are unique even where two holders share an endpoint', () => {
  const shared = { protocol: 'udp', port: 5353 } as const;
  const found = judged(
    { ...shared, processes: [holder('/usr/sbin/one', { user: 'one' })] },
    { ...shared, processes: [holder('/usr/sbin/two', { user: 'two' })] },
  );
  assert.deepEqual(
    found.map(({ id }) => id),
    ['services/public-listener/udp-0.0.0.0:5353', 'services/public-listener/udp-0.0.0.0:5353~2'],
  );
});

test('sockets of unseen holders are told together, and not as one thing', () => {
  const unseen: Partial<Listener> = { holder: 'unseen', processes: [], uid: 0, whyUnseen: 'hidden' };
  const [one, ...rest] = judged({ ...unseen, port: 22 }, { ...unseen, port: 80 });
  assert.deepEqual(rest, []);
  assert.match(one?.title ?? '', /^2 sockets whose holders could not be seen: they listen on 2 ports/);
});

test('what listens in another network namespace is found, with what was not looked at', () => {
  const netns = { inode: 4026532300, name: 'web', own: false, container: null };
  const perl = holder('/usr/bin/perl', { uid: 0, user: 'root', package: 'perl-base', interpreter: true });
  const [one, ...rest] = judged({ scope: 'container', netns, port: 18001, processes: [perl] });
  assert.deepEqual(rest, []);
  assert.equal(one?.id, 'services/container-listener/tcp-0.0.0.0:18001@web');
  assert.equal(one?.severity, 'low');
  assert.equal(one?.title, 'perl listens on every IPv4 address, port 18001 (tcp), in network namespace web');
  assert.ok(one?.evidence.some((line) => line.includes('pid 812 /usr/bin/perl, user root')));
  assert.ok(one?.evidence.some((line) => /forwarding and DNAT rules were not read/.test(line)));
  assert.match(one?.options[0]?.action ?? '', /nsenter --net=\/run\/netns\/web/);
});

test('a UDP socket on an ephemeral port that nobody configured is low, and only to be looked at', () => {
  const client = { protocol: 'udp', port: 41234, transient: false } as const;
  for (const process of [
    holder('/usr/sbin/thing', { uid: 0 }),
    holder('/usr/sbin/rsyslogd', { uid: 0, package: 'rsyslog' }),
    holder('/usr/sbin/avahi-daemon'),
  ]) {
    const [one] = judged({ ...client, processes: [process] });
    assert.equal(one?.severity, 'low', process.exe ?? '');
    assert.deepEqual(
      one?.options.map(({ step }) => step),
      ['investigate'],
    );
    assert.match(one?.id ?? '', /udp-ephemeral@/);
    assert.ok(one?.evidence.includes('udp 0.0.0.0:41234'));
  }
  const mountd = { ...client, processes: [holder('/usr/sbin/rpc.mountd', { uid: 0 })] };
  assert.equal(judged(mountd)[0]?.severity, 'high', 'rpcbind hands out ports to services');
  assert.deepEqual(judged({ ...client, processes: [holder('/usr/sbin/dhclient')] }), []);
});
