import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedByDefault, type ListenOn } from '#wire/listen';
import { concernsOf, type Circumstances, type Concern } from './concerns.ts';

const fine: Circumstances = {
  listen: [
    { kind: 'syslog-tcp', host: '127.0.0.1', port: 5514 },
    { kind: 'syslog-udp', host: '127.0.0.1', port: 5514 },
  ],
  allowed: allowedByDefault,
  witnesses: 1,
  indexServer: null,
  uid: 1000,
  rmemMax: 64 * 1024 * 1024,
  openFiles: 1_048_576,
  unprivilegedPort: 1024,
  certificateEnds: null,
  notifyFiles: [],
  now: 1_800_000_000_000_000,
};

const about = (more: Partial<Circumstances>): Pick<Concern, 'severity' | 'what'>[] =>
  concernsOf({ ...fine, ...more }).map(({ severity, what }) => ({ severity, what }));

const listen = (kind: ListenOn['kind'], host: string, port = 5514): readonly ListenOn[] => [
  { kind, host, port },
];

test('nothing is said of a configuration that is well', () => {
  assert.deepEqual(about({}), []);
  assert.deepEqual(about({ listen: listen('syslog-tls', '0.0.0.0') }), []);
});

test('a small receive buffer matters where datagrams are taken', () => {
  assert.deepEqual(about({ rmemMax: 212_992 }), [{ severity: 'warning', what: 'syslog-udp=127.0.0.1:5514' }]);
  assert.deepEqual(about({ rmemMax: 212_992, listen: listen('syslog-tcp', '::1') }), []);
});

test('plain text beyond this machine, everybody, low ports, few files', () => {
  assert.deepEqual(about({ listen: listen('syslog-tcp', '::') }), [
    { severity: 'warning', what: 'syslog-tcp=[::]:5514' },
  ]);
  const allowed = { ...allowedByDefault, networks: ['0.0.0.0/0'] };
  assert.deepEqual(about({ listen: listen('syslog-tls', '0.0.0.0'), allowed }), [
    { severity: 'warning', what: '--allow 0.0.0.0/0' },
  ]);
  assert.deepEqual(about({ allowed }), [], 'where nothing listens beyond this machine it does no harm');
  assert.deepEqual(about({ listen: listen('syslog-tcp', '127.0.0.1', 514) }), [
    { severity: 'bad', what: 'syslog-tcp=127.0.0.1:514' },
  ]);
  assert.deepEqual(about({ listen: listen('syslog-tcp', '127.0.0.1', 514), uid: 0 }), []);
  assert.deepEqual(about({ openFiles: 1024 }), [{ severity: 'note', what: 'connections at a time' }]);
  assert.deepEqual(about({ witnesses: 0 }), [{ severity: 'note', what: 'witnesses' }]);
});

test('a certificate that ends is told of two weeks ahead', () => {
  const tls = { listen: listen('syslog-tls', '0.0.0.0') };
  const day = 86_400_000_000;
  const what = 'the certificate of the listeners over TLS';
  assert.deepEqual(about({ ...tls, certificateEnds: fine.now + 20 * day }), []);
  assert.deepEqual(about({ ...tls, certificateEnds: fine.now + 10 * day }), [{ severity: 'warning', what }]);
  assert.deepEqual(about({ ...tls, certificateEnds: fine.now - day }), [{ severity: 'bad', what }]);
  assert.deepEqual(about({ certificateEnds: fine.now - day }), []);
});

test('a secret that everybody may read, and a file that is not there', () => {
  const file = { notify: 'admins', path: '/etc/password', secret: true };
  const warned = [{ severity: 'warning', what: '/etc/password of notify "admins"' }];
  assert.deepEqual(about({ notifyFiles: [{ ...file, mode: 0o100400 }] }), []);
  assert.deepEqual(about({ notifyFiles: [{ ...file, mode: 0o100444 }] }), warned);
  assert.deepEqual(about({ notifyFiles: [{ ...file, secret: false, mode: 0o100755 }] }), []);
  assert.deepEqual(about({ notifyFiles: [{ ...file, mode: null }] }), warned);
});
