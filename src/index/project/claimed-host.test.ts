import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimedHost } from './claimed-host.ts';

test('a claimed host is held against the name in the certificate', () => {
  const { mismatch } = claimedHost('web1.example.net', '192.0.2.7');
  for (const fits of ['web1.example.net', 'WEB1', 'web1', 'Web1.Example.Net.', ''])
    assert.equal(mismatch(fits), '', fits);
  for (const other of ['web2', 'web1.example.org', 'web', '192.0.2.7', 'web1.example'])
    assert.equal(mismatch(other), 'web1.example.net', other);
  const short = claimedHost('relay1', '192.0.2.7').mismatch;
  assert.deepEqual(['relay1', 'relay1.example.net', 'web7', 'relay10'].map(short), [
    '',
    '',
    'relay1',
    'relay1',
  ]);
  const address = claimedHost('192.0.2.7', '192.0.2.7').mismatch;
  assert.deepEqual(['192.0.2.7', '192.0.2.8', '192'].map(address), ['', '192.0.2.7', '192.0.2.7']);
});

test('without a certificate only an address can be held against an address', () => {
  const { mismatch } = claimedHost('', '192.0.2.7');
  assert.deepEqual(
    ['192.0.2.7', '::ffff:192.0.2.7', '192.0.2.8', '2001:db8::1', 'web7', '3com-switch', 'cafe', ''].map(
      mismatch,
    ),
    ['', '', '192.0.2.7', '192.0.2.7', '', '', '', ''],
  );
  const six = claimedHost('', '2001:db8::7').mismatch;
  assert.deepEqual(['2001:DB8:0:0::7', 'fe80::1', '2001:db8::8'].map(six), [
    '',
    '2001:db8::7',
    '2001:db8::7',
  ]);
});

test('nothing is said of local peers, nor of those that have no address', () => {
  for (const source of ['127.0.0.1', '::1', 'agent', ''])
    assert.equal(claimedHost('', source).mismatch('192.0.2.1'), '', source);
  assert.equal(
    claimedHost('agent7', 'agent').mismatch('web7'),
    'agent7',
    'a certificate counts all the same',
  );
});

test('a stranger who claims ever another host takes no memory', () => {
  const { mismatch } = claimedHost('relay', '192.0.2.7');
  for (let i = 0; i < 10_000; i += 1) assert.equal(mismatch(`host${i}`), 'relay');
});
