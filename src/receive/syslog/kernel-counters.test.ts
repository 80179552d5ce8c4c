import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { dropsBySocket, udpErrorsIn } from './kernel-counters.ts';

const snmp = [
  'Tcp: RtoAlgorithm InErrs',
  'Tcp: 1 99',
  'Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors',
  'Udp: 705702 1 326 1032309 320 0 6 0 0',
  'UdpLite: InDatagrams NoPorts InErrors',
  'UdpLite: 1 2 3',
].join('\n');

describe('UDP errors of the host', () => {
  it('adds up IPv4 and IPv6, by their names', () => {
    const snmp6 =
      'Udp6InDatagrams                 \t3\nUdp6InErrors                    \t5\nUdp6RcvbufErrors   \t4\nUdp6InCsumErrors \t1\nUdpLite6InErrors \t70\n';
    assert.deepEqual(udpErrorsIn(snmp, snmp6), { all: 331, buffer: 324, checksum: 7 });
    assert.deepEqual(udpErrorsIn(snmp, ''), { all: 326, buffer: 320, checksum: 6 });
    assert.ok(udpErrorsIn(readFileSync('/proc/net/snmp', 'latin1'), '').all >= 0);
  });

  it('takes the drops of each socket by its inode', () => {
    const table =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n' +
      ' 1234: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1811 2 0000000000000000 417\n' +
      ' 1235: 0100007F:158B 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1812 2 0000000000000000 0\n';
    assert.deepEqual([...dropsBySocket(table)], [['1811', 417]]);
  });
});
