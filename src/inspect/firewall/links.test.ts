import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLinks } from './links.ts';

test('interfaces are read from what ip prints', () => {
  const printed = [
    {},
    { ifindex: 1, ifname: 'lo', flags: ['LOOPBACK', 'UP'], addr_info: [{}] },
    {
      ifindex: 4,
      link_index: 9,
      ifname: 'veth1',
      flags: ['UP'],
      master: 'docker0',
      linkinfo: { info_kind: 'veth' },
      addr_info: [
        { family: 'inet', local: '192.0.2.1', prefixlen: 24 },
        { family: 'inet6', local: '2001:db8::1', prefixlen: 64 },
      ],
    },
    { ifindex: 5, ifname: 'vxlan1', linkinfo: { info_kind: 'vxlan', info_data: { port: 4789 } } },
  ];
  const plain = { kind: null, loopback: false, master: null, peer: null, addresses: [], tunnelPort: null };
  assert.deepEqual(parseLinks(JSON.stringify(printed)), [
    { ...plain, name: 'lo', index: 1, loopback: true },
    {
      ...plain,
      name: 'veth1',
      index: 4,
      kind: 'veth',
      master: 'docker0',
      peer: 9,
      addresses: [
        { address: '192.0.2.1', family: 4, prefix: 24 },
        { address: '2001:db8::1', family: 6, prefix: 64 },
      ],
    },
    { ...plain, name: 'vxlan1', index: 5, kind: 'vxlan', tunnelPort: 4789 },
  ]);
});

test('what has another form is an error, not an interface fewer', () => {
  for (const printed of [
    { ifname: 'eth0' },
    [{ ifname: 7 }],
    [{ ifname: 'eth0', addr_info: {} }],
    [{ ifname: 'eth0', addr_info: [{ family: 'inet', local: 7, prefixlen: 24 }] }],
  ])
    assert.throws(() => parseLinks(JSON.stringify(printed)), { code: 'malformed-table' });
});
