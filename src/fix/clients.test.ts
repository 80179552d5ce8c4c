import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientsIn, parseConnections } from './clients.ts';

/** As ss of iproute2 6.1 prints them. */
const printed = `0      0          127.0.0.1:3306     127.0.0.1:37486 users:(("mariadbd",pid=171,fd=43)) cgroup:/system.slice/mariadb.service
0      0          127.0.0.1:37486    127.0.0.1:3306  users:(("rrdtool",pid=629,fd=4),("sh",pid=628,fd=4),("php",pid=624,fd=4)) cgroup:/system.slice/cacti-poller.service
0      0      [::ffff:10.78.0.2]:3306 [::ffff:10.78.0.2]:50000 users:(("mariadbd",pid=171,fd=44)) cgroup:/system.slice/mariadb.service
0      0      10.78.0.2:50000    10.78.0.2:3306  users:(("php",pid=700,fd=4)) cgroup:/system.slice/billing.service
0      0      10.78.0.2:3306     10.78.0.9:40000 users:(("mariadbd",pid=171,fd=45)) cgroup:/system.slice/mariadb.service
0      0      10.78.0.2:22       10.78.0.9:40001 users:(("sshd",pid=9,fd=4)) cgroup:/system.slice/ssh.service
`;

const clients = clientsIn(parseConnections(printed), new Set([3306]), new Set(['127.0.0.1', '10.78.0.2']));

test('a program of this host is paired with its end: unit, and the process that opened the connection', () => {
  const { local, program, unit, to } = clients[0] ?? assert.fail();
  assert.deepEqual(
    { local, program, unit, to },
    {
      local: true,
      program: 'php',
      unit: 'cacti-poller.service',
      to: '127.0.0.1',
    },
  );
});

test('a program of this host that dials its address on the network is local, and dials that', () => {
  const { local, unit, to } = clients[1] ?? assert.fail();
  assert.deepEqual({ local, unit, to }, { local: true, unit: 'billing.service', to: '10.78.0.2' });
});

test('another host is named by its address, and other ports are not looked at', () => {
  const { local, from } = clients[2] ?? assert.fail();
  assert.deepEqual({ local, from }, { local: false, from: '10.78.0.9' });
  assert.equal(clients.length, 3);
});

test('units of a user’s own systemd are not taken for those of the host', () => {
  const [one] = parseConnections(
    '0 0 10.0.0.2:50000 10.0.0.2:3306 users:(("x",pid=7,fd=4)) cgroup:/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service\n',
  );
  assert.equal(one?.unit, null);
});
