import assert from 'node:assert/strict';
import { test } from 'node:test';
import { narrowed } from './door-firewall.ts';

test('who is named is let in, in each family; all others are refused, but this host', () => {
  const [rules, unit] = narrowed({
    name: 'mariadb',
    doors: [
      { protocol: 'tcp', port: 3306 },
      { protocol: 'tcp', port: 3306 },
    ],
    allow: ['10.0.0.0/8', '2001:db8::7'],
  }).edits;
  assert.match(
    rules?.text ?? '',
    /iifname "lo" accept\n.*\n +ip saddr \{ 10\.0\.0\.0\/8 \} tcp dport \{ 3306 \} accept\n +ip6 saddr \{ 2001:db8::7 \} tcp dport \{ 3306 \} accept\n +tcp dport \{ 3306 \} reject\n/,
  );
  assert.match(unit?.text ?? '', /ExecStop=\/usr\/sbin\/nft delete table inet holdfast_mariadb\n/);
});

test('rules come back in the start, restart and reload of nftables.service, which flush them', () => {
  const [, unit, dropIn] = narrowed({
    name: 'snmpd',
    doors: [{ protocol: 'udp', port: 161 }],
    allow: [],
  }).edits;
  assert.match(unit?.text ?? '', /\nPartOf=nftables\.service\n[^]*\nWantedBy=.*nftables\.service\n/);
  assert.equal(dropIn?.path, '/etc/systemd/system/nftables.service.d/holdfast-door-snmpd.conf');
  for (const moment of ['ExecStartPost', 'ExecReload'])
    assert.match(
      dropIn.text,
      new RegExp(`^${moment}=-/usr/sbin/nft -f /etc/holdfast/door-snmpd\\.nft$`, 'm'),
    );
});

test('without anybody named, nobody but this host is let in', () => {
  const [rules] = narrowed({ name: 'snmpd', doors: [{ protocol: 'udp', port: 161 }], allow: [] }).edits;
  assert.doesNotMatch(rules?.text ?? '', /saddr/);
  assert.match(rules?.text ?? '', /udp dport \{ 161 \} reject/);
});
