import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from '../testing/seen.ts';

const fieldsOf = (app: string, message: string): Record<string, string> =>
  parse(`<38>1 2026-05-12T03:00:00Z web1 ${app} 7 - - ${message}`).fields;

describe('sentences of sshd', () => {
  const cases: [message: string, user: string | undefined, rhost: string | undefined][] = [
    ['Failed password for alice from 10.0.0.5 port 40022 ssh2', 'alice', '10.0.0.5'],
    ['Failed none for invalid user  from 10.0.0.5 port 40022 ssh2', undefined, '10.0.0.5'],
    ['Accepted publickey for bob from 2001:db8::7 port 9 ssh2: ED25519 SHA256:abc', 'bob', '2001:db8::7'],
    ['Postponed publickey for bob from 192.0.2.1 port 9 ssh2 [preauth]', 'bob', '192.0.2.1'],
    ['Invalid user admin from 192.0.2.1 port 5', 'admin', '192.0.2.1'],
    ['Connection closed by authenticating user root 192.0.2.1 port 5 [preauth]', 'root', '192.0.2.1'],
    ['Connection closed by invalid user a b 192.0.2.1 port 5 [preauth]', 'a b', '192.0.2.1'],
    ['Connection reset by 192.0.2.1 port 5 [preauth]', undefined, '192.0.2.1'],
    ['Disconnected from user carol fe80::1%eth0 port 5', 'carol', 'fe80::1%eth0'],
    ['Disconnecting invalid user x 192.0.2.1 port 5: Too many failures [preauth]', 'x', '192.0.2.1'],
    ['Received disconnect from 192.0.2.1 port 5:11: Bye', undefined, '192.0.2.1'],
    ['Connection from 192.0.2.1 port 5 on 192.0.2.2 port 22 rdomain ""', undefined, '192.0.2.1'],
    ['error: maximum authentication attempts exceeded for root from 192.0.2.1 port 5 ssh2 [preauth]', 'root', '192.0.2.1'],
    ['User eve from 192.0.2.1 not allowed because not listed in AllowUsers', 'eve', '192.0.2.1'],
    ['Starting session: shell on pts/0 for dave from 192.0.2.1 port 5 id 0', 'dave', '192.0.2.1'],
    ["Bad protocol version identification 'GET / HTTP/1.1' from 192.0.2.1 port 5", undefined, '192.0.2.1'],
    ['Unable to negotiate with 192.0.2.1 port 5: no matching host key type found. Their offer: ssh-rsa [preauth]', undefined, '192.0.2.1'],
    // Names that strangers chose
    ['Invalid user root from 198.51.100.9 port 1 from 192.0.2.1 port 5', 'root from 198.51.100.9 port 1', '192.0.2.1'],
    ['Failed password for invalid user x from 198.51.100.9 port 1 ssh2: y from 192.0.2.1 port 5 ssh2', 'x from 198.51.100.9 port 1 ssh2: y', '192.0.2.1'],
    ['Invalid user rhost=198.51.100.9 user=root from 192.0.2.1 port 5', 'rhost=198.51.100.9 user=root', '192.0.2.1'],
    ['Server listening on :: port 22.', undefined, undefined],
  ]; // prettier-ignore
  for (const [message, user, rhost] of cases)
    it(message, () => {
      const wanted = { ...(user === undefined ? {} : { user }), ...(rhost === undefined ? {} : { rhost }) };
      assert.deepEqual(fieldsOf('sshd-session', message), wanted);
    });

  it('are words alone where another program says them', () => {
    assert.deepEqual(fieldsOf('shop', 'Failed password for alice from 10.0.0.5 port 40022 ssh2'), {});
  });

  it('takes no time to speak of for what was made to take long', () => {
    const started = performance.now();
    for (const word of [' from 1.2.3.4 port 1', ' from', ' port 1 ssh2: ', ' '])
      fieldsOf('sshd', `Failed password for invalid user ${word.repeat(2000).slice(0, 950)}`);
    assert.ok(performance.now() - started < 1000);
  });
});

describe('sessions by PAM', () => {
  it('have a user', () => {
    assert.deepEqual(
      fieldsOf('sudo', 'pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1000)'),
      { user: 'root', uid: '0\n1000' },
    );
    assert.deepEqual(fieldsOf('cron', 'pam_unix(cron:session): session closed for user backup'), {
      user: 'backup',
    });
  });
});

describe('access logs', () => {
  const date = '[12/May/2026:03:00:00 +0000]';
  it('are read as common, combined, with a virtual host, and with more behind', () => {
    const wanted = { client: '192.0.2.7', method: 'GET', status: '502', bytes: '12' };
    for (const line of [
      `192.0.2.7 - - ${date} "GET /a?status=1 HTTP/1.1" 502 12`,
      `192.0.2.7 - - ${date} "GET / HTTP/1.1" 502 12 "https://example.net/" "curl/8 \\"x\\""`,
      `www.example.net:443 192.0.2.7 - - ${date} "GET / HTTP/2.0" 502 12 "-" "-"`,
    ])
      assert.deepEqual(fieldsOf('nginx', line), wanted, line);
    assert.deepEqual(fieldsOf('nginx', `192.0.2.7 - - ${date} "GET / HTTP/1.1" 502 12 "-" "-" rt=0.2`), {
      ...wanted,
      rt: '0.2',
    });
  });

  it('have who signed in, and what was no request at all', () => {
    assert.deepEqual(fieldsOf('apache2', `2001:db8::1 - J. Doe ${date} "\\x16\\x03\\x01" 400 -`), {
      client: '2001:db8::1',
      user: 'J. Doe',
      status: '400',
    });
  });

  it('are nothing else that has a date in brackets', () => {
    assert.deepEqual(fieldsOf('haproxy', '192.0.2.7:80 [12/May/2026:03:00:00.100] https~ web/w1 200 5'), {});
  });
});
