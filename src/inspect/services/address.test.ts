import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressKind, decodeAddress, formatIPv6 } from './address.ts';
import { scopeOf } from './scope.ts';

const text = (hex: string) => formatIPv6(Buffer.from(hex.replaceAll(':', ''), 'hex'));

test('IPv6 text as RFC 5952 wants it', () => {
  assert.equal(text('2001:0db8:0000:0000:0001:0000:0000:0001'), '2001:db8::1:0:0:1');
  assert.equal(text('2001:0db8:0000:0001:0001:0001:0001:0001'), '2001:db8:0:1:1:1:1:1');
  assert.equal(text('2001:0000:0000:0001:0000:0000:0000:0001'), '2001:0:0:1::1');
  assert.equal(text('fe80:0000:0000:0000:0000:0000:0000:0000'), 'fe80::');
  assert.equal(text('0000:0000:0000:0000:0000:0000:0000:0000'), '::');
  assert.equal(text('0000:0000:0000:0000:0000:ffff:c000:0201'), '::ffff:192.0.2.1');
});

test('words in either byte order', () => {
  assert.equal(decodeAddress('0202000A', 'LE'), '10.0.2.2');
  assert.equal(decodeAddress('0A000202', 'BE'), '10.0.2.2');
  assert.equal(decodeAddress('00000000000000000000000001000000', 'LE'), '::1');
});

test('kinds of addresses', () => {
  const kinds: Record<string, string> = {
    '0.0.0.0': 'wildcard',
    '::': 'wildcard',
    '::ffff:0.0.0.0': 'wildcard',
    '127.8.9.10': 'loopback',
    '::1': 'loopback',
    '::ffff:127.0.0.1': 'loopback',
    '10.1.2.3': 'private',
    '172.31.0.1': 'private',
    '172.32.0.1': 'global',
    '192.168.0.1': 'private',
    '100.64.0.1': 'private',
    '169.254.1.1': 'private',
    '224.0.0.251': 'private',
    '192.0.2.1': 'global',
    'fe80::1': 'private',
    'fd00::1': 'private',
    'ff02::fb': 'private',
    '2001:db8::1': 'global',
  };
  for (const [address, kind] of Object.entries(kinds)) assert.equal(addressKind(address), kind, address);
});

test('scope', () => {
  assert.equal(scopeOf('tcp', '::', 'own'), 'public');
  assert.equal(scopeOf('tcp', '192.168.0.1', 'own'), 'network');
  assert.equal(scopeOf('tcp', '2001:db8::1', 'own'), 'public');
  assert.equal(scopeOf('tcp', '127.0.0.1', 'own'), 'local');
  assert.equal(scopeOf('tcp', '0.0.0.0', 'other'), 'container');
  assert.equal(scopeOf('tcp', '127.0.0.1', 'other'), 'local');
  assert.equal(scopeOf('udp', '::', 'other, with no interface but lo'), 'local');
  assert.equal(scopeOf('unix', '/run/x', 'own'), 'local');
  assert.equal(scopeOf('packet', '*', 'own'), 'public');
  assert.equal(scopeOf('packet', 'lo', 'own'), 'local');
});
