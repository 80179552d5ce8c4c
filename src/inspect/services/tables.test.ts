import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { InspectError } from '../errors.ts';
import { readTable } from './table-file.ts';
import { inetRows, packetRows, sctpRows, unixRows } from './tables.ts';

// Captured on an x86-64 host.
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1679 1 0000000000000000 100 0 0 10 0                      
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   109        0 23456 2 0000000000000000 100 0 0 10 0                     
   2: 0F02000A:0016 0202000A:D9AC 01 00000000:00000000 02:000A7B1C 00000000     0        0 31337 4 0000000000000000 20 4 31 10 -1                    
`;
const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18301 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     7        0 20011 1 0000000000000000 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 20012 1 0000000000000000 100 0 0 10 0
   3: B80D01200000000000000000010000FE:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 20013 1 0000000000000000 100 0 0 10 0
`;
const udp = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            
 1233: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000   104        0 40001 2 0000000000000000 0         
 2101: 0100007F:A1B2 0100007F:0035 01 00000000:00000000 00:00000000 00000000  1000        0 40002 2 0000000000000000 0         
`;

const short = (rows: ReturnType<typeof inetRows>) =>
  rows.map((row) => [row.address, row.port, row.uid, row.inode]);

test('TCP: listening sockets alone, addresses in host byte order', () => {
  assert.deepEqual(short(inetRows(tcp, 'tcp', 4, 'LE')), [
    ['0.0.0.0', 2024, 0, 1679],
    ['127.0.0.1', 8080, 109, 23456],
  ]);
  assert.deepEqual(short(inetRows(tcp6, 'tcp', 6, 'LE')), [
    ['::', 22, 0, 18301],
    ['::1', 631, 7, 20011],
    ['::ffff:127.0.0.1', 8080, 1000, 20012],
    ['2001:db8::fe00:1', 80, 33, 20013],
  ]);
});

test('a big-endian host writes the same words the other way round', () => {
  const row = tcp.replace('0100007F:1F90', '7F000001:1F90');
  assert.equal(inetRows(row, 'tcp', 4, 'BE')[1]?.address, '127.0.0.1');
});

test('UDP: unconnected sockets alone', () => {
  assert.deepEqual(short(inetRows(udp, 'udp', 4, 'LE')), [['0.0.0.0', 514, 104, 40001]]);
});

test('a table of 100,000 connections and 3 listeners', () => {
  const [heading = '', first = '', second = '', connection = ''] = tcp.split('\n');
  const rows = Array.from({ length: 100_000 }, (_, i) => connection.replace('31337', String(50_000 + i)));
  const text = `${[heading, first, second, ...rows, first.replace('1679', '9')].join('\n')}\n`;
  assert.deepEqual(
    inetRows(text, 'tcp', 4, 'LE').map(({ inode }) => inode),
    [1679, 23456, 9],
  );
});

test('a row that was cut off at the end is left out; a malformed one is an error', () => {
  assert.equal(inetRows(tcp.slice(0, -40), 'tcp', 4, 'LE').length, 2);
  assert.throws(
    () => inetRows(`heading\n   0: nonsense\n`, 'tcp', 4),
    (error: unknown) => error instanceof InspectError && error.code === 'malformed-table',
  );
});

test('packet, sctp and unix tables', () => {
  const packet = `sk               RefCnt Type Proto  Iface R Rmem   User   Inode
ffff9d0a4c8f5000 3      3    0003   2     1 0      0      25411
ffff9d0a4c8f5800 3      2    88cc   0     1 0      101    25412
`;
  assert.deepEqual(short(packetRows(packet)), [
    ['if2', 3, 0, 25411],
    ['*', 0x88cc, 101, 25412],
  ]);
  const eps = ` ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS
ffff888 ffff889 2   10  29   3868   0     61001 10.0.0.1 0:0:0:0:0:0:0:1 
ffff88a ffff88b 2   7   30   3869   0     61002 10.0.0.1 
`;
  assert.deepEqual(short(sctpRows(eps)), [
    ['10.0.0.1', 3868, 0, 61001],
    ['::1', 3868, 0, 61001],
  ]);
  const unix = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 18001 /run/dbus/system_bus_socket
0000000000000000: 00000003 00000000 00000000 0001 03 18002 /run/dbus/system_bus_socket
0000000000000000: 00000002 00000000 00010000 0005 01 18003 @/tmp/with space
0000000000000000: 00000002 00000000 00010000 0001 01 18004 /tmp/broken
name
`;
  assert.deepEqual(short(unixRows(unix)), [
    ['/run/dbus/system_bus_socket', null, null, 18001],
    ['@/tmp/with space', null, null, 18003],
    ['/tmp/broken', null, null, 18004],
  ]);
});

test('reading stops behind the listening sockets and still has them all', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const open: Socket[] = [];
  server.on('connection', (socket) => open.push(socket));
  const clients = Array.from({ length: 150 }, () => connect(port, '127.0.0.1'));
  await Promise.all(clients.map((client) => once(client, 'connect')));
  try {
    const whole = readFileSync('/proc/self/net/tcp', 'latin1');
    const part = readTable('/proc/self/net', 'tcp') ?? '';
    const ours = (text: string) => inetRows(text, 'tcp', 4).filter((row) => row.port === port).length;
    assert.equal(ours(part), 1);
    assert.equal(ours(whole), 1);
    assert.ok(part.length < whole.length / 2, `${part.length} of ${whole.length}`);
  } finally {
    for (const socket of [...clients, ...open]) socket.destroy();
    server.close();
  }
});

test('a table that the kernel does not have is null', () => {
  assert.equal(readTable('/proc/self/net', 'no-such-table'), null);
});
