import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from './banner.ts';

const cases: readonly (readonly [string, string, string | null, string | null])[] = [
  ['OpenSSH', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 'ssh', 'SSH-2.0-OpenSSH_9.2p1 Debian-2'],
  ['Postfix', '220 mail.example ESMTP Postfix\r\n', 'smtp', '220 mail.example ESMTP Postfix'],
  ['vsftpd', '220 (vsFTPd 3.0.3)\r\n', 'ftp', '220 (vsFTPd 3.0.3)'],
  [
    'nginx',
    'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: x\r\n\r\n',
    'http',
    'HTTP/1.1 200 OK, nginx/1.22.1',
  ],
  ['Redis', '+PONG\r\n', 'redis', '+PONG'],
  ['memcached', 'VERSION 1.6.18\r\n', 'memcached', 'VERSION 1.6.18'],
  ['PostgreSQL', 'N', 'postgresql', 'does not speak TLS'],
  ['MariaDB', 'Y\0\0\0\n5.5.5-10.11.6-MariaDB\0rest', 'mysql', '10.11.6-MariaDB'],
  [
    'MySQL, which lets nobody in',
    "B\0\0\0\xff\x6a\x04Host '10.0.0.1' is not allowed",
    'mysql',
    "error 1130: Host '10.0.0.1' is not allowed",
  ],
  ['something unknown', 'hello\n', null, 'hello'],
  ['nothing', '', null, null],
];

for (const [what, said, service, banner] of cases)
  test(`${what} is told by what it says`, () => {
    assert.deepEqual(describe(Buffer.from(said, 'latin1')), { service, banner });
  });

test('what a server says cannot drive a terminal, and is cut', () => {
  const { banner } = describe(Buffer.from(`\x1b]0;owned\x07\x1b[2J${'a'.repeat(5000)}`));
  assert.match(banner ?? '', /^\\x1b\]0;owned\\x07\\x1b\[2Ja+…$/);
  assert.equal(banner?.length, 201);
});
