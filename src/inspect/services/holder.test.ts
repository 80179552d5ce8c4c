import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { forwarderOf } from './forwarders.ts';
import { kernelListeners, kernelServiceOf } from './kernel-listeners.ts';
import { interfaceIndexes, interfaceNames } from './inside.ts';
import { isInterpreter, scriptOf, unitOf, userNames } from './processes.ts';
import { parseCommands, parseSystemdSockets, socketUnitOf } from './systemd-sockets.ts';
import { parseRpcinfo } from './rpc.ts';
import { parseDetails } from './socket-details.ts';

test('the unit is the one of the host’s own systemd, by a name that is no option', () => {
  assert.equal(unitOf('0::/system.slice/ssh.service\n'), 'ssh.service');
  assert.equal(
    unitOf('0::/system.slice/system-postfix.slice/postfix@-.service/worker\n'),
    'postfix@-.service',
  );
  for (const other of [
    'user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service',
    'machine.slice/systemd-nspawn@web.service/payload/system.slice/ssh.service',
    'lxc.payload.web/system.slice/ssh.service',
    'system.slice/--host=evil.service',
  ])
    assert.equal(unitOf(`0::/${other}\n`), null, other);
  assert.equal(unitOf('0::/user.slice/user-1000.slice/session-3.scope\n'), 'session-3.scope');
  assert.equal(unitOf('9:name=systemd:/system.slice/cron.service\n0::/\n'), 'cron.service');
  assert.equal(unitOf('0::/\n'), null);
});

test('interpreters are named by what they run, and nothing else of the command line is kept', () => {
  assert.equal(scriptOf('/usr/bin/python3.11', ['python3', '-u', '/srv/app.py', '--token=x']), '/srv/app.py');
  assert.equal(scriptOf('/usr/bin/python3.11', ['python3', '-m', 'http.server']), '-m http.server');
  assert.equal(
    scriptOf('/usr/lib/jvm/bin/java', ['java', '-Xmx1g', '-jar', '/opt/jenkins.war']),
    '/opt/jenkins.war',
  );
  assert.equal(scriptOf('/usr/bin/perl', ['perl', '-e', 'print "secret"']), null);
  assert.equal(scriptOf('/usr/sbin/mariadbd', ['mariadbd', '--user=mysql']), null);
});

test('executables that run other programs', () => {
  for (const name of [
    'perl',
    'perl5.36.0',
    'python3.11',
    'java',
    'busybox',
    'beam.smp',
    'qemu-system-x86_64',
  ])
    assert.equal(isInterpreter(`/usr/bin/${name}`), true, name);
  for (const name of ['php-fpm8.2', 'sshd', 'postgres', 'bashd'])
    assert.equal(isInterpreter(`/usr/sbin/${name}`), false, name);
});

test('passwd: the first entry of an id wins', () => {
  const names = userNames(
    'root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nmysql:x:105:113::/:/bin/false\n',
  );
  assert.equal(names.get(0), 'root');
  assert.equal(names.get(105), 'mysql');
});

test('forwarders, and what for', () => {
  const proxy = [
    'docker-proxy',
    '-proto',
    'tcp',
    '-host-ip',
    '0.0.0.0',
    '-host-port',
    '8080',
    '-container-ip',
    '172.17.0.2',
    '-container-port',
    '80',
  ];
  assert.deepEqual(forwarderOf('/usr/bin/docker-proxy', proxy), { to: '172.17.0.2:80' });
  assert.deepEqual(
    forwarderOf('/usr/lib/systemd/systemd-socket-proxyd', ['x', '--exit-idle-time=5', '/run/a.sock']),
    { to: '/run/a.sock' },
  );
  assert.deepEqual(forwarderOf('/usr/sbin/sshd', ['sshd: alice@pts/0']), { to: 'the ssh client of alice' });
  assert.deepEqual(forwarderOf('/usr/sbin/sshd', ['sshd: alice']), { to: 'the ssh client of alice' });
  assert.equal(
    forwarderOf('/usr/sbin/sshd', ['sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups']),
    null,
  );
  const ssh = (...words: string[]) => forwarderOf('/usr/bin/ssh', ['ssh', ...words])?.to;
  assert.equal(ssh('-N', '-o', 'BatchMode=yes', '-L', '0.0.0.0:80:10.0.0.7:80', 'carol@web1'), 'carol@web1');
  assert.equal(ssh('-fNL', '8080:localhost:80', '-p22', '-4', 'web1', 'sleep', '9'), 'web1');
  assert.equal(ssh('-D', '1080', '--', 'web1'), 'web1');
  assert.deepEqual(forwarderOf('/usr/bin/conmon', ['/usr/bin/conmon', '--cid', '12']), { to: null });
  assert.equal(forwarderOf('/usr/sbin/nginx', ['nginx: master process']), null);
});

test('systemd sockets: `systemctl list-sockets --output=json`', () => {
  const sockets = parseSystemdSockets(
    '[{"listen":"[::]:22","unit":"ssh.socket","activates":"ssh.service"},{"listen":"0.0.0.0:111","unit":"rpcbind.socket","activates":"rpcbind.service"},{"listen":"/run/dbus/system_bus_socket","unit":"dbus.socket","activates":"dbus.service"}]',
  );
  assert.equal(socketUnitOf(sockets, '::', 22)?.unit, 'ssh.socket');
  assert.equal(socketUnitOf(sockets, '0.0.0.0', 111)?.activates, 'rpcbind.service');
  assert.equal(socketUnitOf(sockets, '/run/dbus/system_bus_socket', null)?.unit, 'dbus.socket');
  const shown =
    'Id=front.socket\nActiveEnterTimestampMonotonic=5\n\nExecStart={ path=/lib/systemd/systemd-socket-proxyd ; argv[]=/lib/systemd/systemd-socket-proxyd 127.0.0.1:22 ; ignore_errors=no ; start_time=[n/a] }\nId=front.service\n';
  assert.deepEqual(
    [...parseCommands(shown)],
    [['front.service', ['/lib/systemd/systemd-socket-proxyd', '127.0.0.1:22']]],
  );
  assert.equal(socketUnitOf(sockets, '0.0.0.0', 22), null);
});

test('IPV6_V6ONLY and SO_BINDTODEVICE by inode from ss', () => {
  const details = parseDetails(
    'tcp LISTEN 0 128 [::]:22 [::]:* ino:18301 sk:2 cgroup:/system.slice/ssh.service v6only:1 <->\nudp UNCONN 0 0 [::]:514 [::]:* uid:104 ino:40001 sk:3 v6only:0 <->\nudp UNCONN 0 0 0.0.0.0%virbr0:67 0.0.0.0:* ino:5 sk:4 <->\nudp UNCONN 0 0 [fe80::1]%eth0:546 [::]:* ino:6 sk:5 v6only:1 <->\n',
  );
  assert.deepEqual(
    [...details],
    [
      [18301, { v6only: true, device: null }],
      [40001, { v6only: false, device: null }],
      [5, { v6only: null, device: 'virbr0' }],
      [6, { v6only: true, device: null }],
    ],
  );
});

test('ports that the kernel has registered with rpcbind', () => {
  const text = `   program vers proto   port  service
    100000    4   tcp    111  portmapper
    100021    4   udp  34921  nlockmgr
    100003    3   tcp   2049  nfs
`;
  assert.deepEqual(
    parseRpcinfo(text).map(({ protocol, port, service }) => [protocol, port, service]),
    [
      ['udp', 34921, 'lockd'],
      ['tcp', 2049, 'nfsd'],
    ],
  );
});

test('interfaces by name and index', () => {
  const dev =
    'Inter-|   Receive  |  Transmit\n face |bytes    packets|bytes\n    lo: 1 2 3\n  eth0:617412439 1\n';
  assert.deepEqual(interfaceNames(dev), ['lo', 'eth0']);
  const indexes = interfaceIndexes(
    '2    eth0            1     0     01005e000001\n',
    '00000000000000000000000000000001 0a 80 10 80       wg0\n',
  );
  assert.equal(indexes.get(2), 'eth0');
  assert.equal(indexes.get(10), 'wg0');
});

test('the kernel serves what it says that it serves', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-kernel-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'proc/fs/nfsd'), { recursive: true });
  mkdirSync(join(root, 'proc/sys/fs/nfs'), { recursive: true });
  mkdirSync(join(root, 'sys/class/net/wg0'), { recursive: true });
  mkdirSync(join(root, 'sys/class/net/vx0'), { recursive: true });
  writeFileSync(join(root, 'proc/fs/nfsd/portlist'), 'tcp 2049\nudp 2049\n');
  writeFileSync(join(root, 'proc/sys/fs/nfs/nlm_tcpport'), '4045\n');
  writeFileSync(join(root, 'sys/class/net/wg0/uevent'), 'DEVTYPE=wireguard\nINTERFACE=wg0\n');
  writeFileSync(join(root, 'sys/class/net/vx0/uevent'), 'DEVTYPE=vxlan\nINTERFACE=vx0\n');
  const known = kernelListeners({ proc: join(root, 'proc'), sys: join(root, 'sys'), root });
  assert.equal(kernelServiceOf(known, 'tcp', 2049), 'nfsd');
  assert.equal(kernelServiceOf(known, 'tcp', 4045), 'lockd');
  assert.equal(kernelServiceOf(known, 'udp', 4789), 'vxlan (vx0)');
  assert.equal(kernelServiceOf(known, 'udp', 51820), 'wireguard (wg0)');
  assert.equal(kernelServiceOf(known, 'tcp', 51820), null);
});
