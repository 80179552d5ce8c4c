import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedByDefault } from '#wire/listen';
import { openGate } from './gate.ts';

test('this machine may always speak, others by their network alone', () => {
  const none = openGate(allowedByDefault);
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
    assert.ok(none.admitsAddress(address), address);
  for (const address of ['192.0.2.7', '2001:db8::1', '', 'unknown'])
    assert.ok(!none.admitsAddress(address), address);
  const some = openGate({ ...allowedByDefault, networks: ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7'] });
  for (const address of ['192.0.2.255', '::ffff:192.0.2.1', '2001:db8:1::2', '198.51.100.7', '127.0.0.1'])
    assert.ok(some.admitsAddress(address), address);
  for (const address of ['192.0.3.0', '198.51.100.8', '2001:db9::1'])
    assert.ok(!some.admitsAddress(address), address);
  assert.ok(openGate({ ...allowedByDefault, networks: ['0.0.0.0/0'] }).admitsAddress('8.8.8.8'));
});

test('what is no network is refused in words', () => {
  for (const network of ['', 'web1', '192.0.2.0/33', '192.0.2/24', '2001:db8::/129', '192.0.2.0/'])
    assert.throws(
      () => openGate({ ...allowedByDefault, networks: [network] }),
      { code: 'bad-allow-list' },
      network,
    );
});

test('names in certificates: all, or those that a pattern names', () => {
  assert.ok(openGate(allowedByDefault).admitsName('anything'));
  assert.ok(!openGate(allowedByDefault).admitsName(''), 'none was shown');
  const some = openGate({ ...allowedByDefault, names: ['web*.example', 'DB1'] });
  for (const name of ['web7.example', 'WEB.example', 'db1']) assert.ok(some.admitsName(name), name);
  for (const name of ['web7xexample', 'db12', 'xweb.example']) assert.ok(!some.admitsName(name), name);
});
