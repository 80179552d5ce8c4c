import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { collectServices } from '../services/collect.ts';
import { noteUses, parseBook, type UseBook } from './book.ts';
import { parseConntrack } from './conntrack.ts';
import { flowsIn } from './flows.ts';
import { useWatcher } from './observe.ts';
import { parseUnixPeers } from '../services/unix-peers.ts';
import { pairsOf, trackedUses, useOf } from './uses.ts';

const lan = Object.values(networkInterfaces())
  .flatMap((some = []) => some)
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

/** A server on every address, and a client in another process for each address that it dials. */
const dialled = async (t: TestContext, addresses: readonly string[]): Promise<number> => {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const script = `use IO::Socket::INET; my @open = map { IO::Socket::INET->new(PeerAddr => "$_:${port}") or die $! } @ARGV; $| = 1; print "ready\\n"; <STDIN>;`;
  const child = spawn('perl', ['-e', script, ...addresses], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => {
    child.stdin.end();
    server.close();
  });
  await once(child.stdout, 'data');
  return port;
};

test(
  'names the local client, and the one that dials the address on the network',
  { skip: lan === undefined && 'this host has no other address' },
  async (t) => {
    const port = await dialled(t, ['127.0.0.1', lan ?? '']);
    const { listeners } = await collectServices();
    const doors = listeners.filter((one) => one.port === port);
    const { uses } = await useWatcher().sample(doors);
    assert.deepEqual(
      uses.map(({ client }) => [client.from, client.to, client.program?.exe, client.dialsOut]).toSorted(),
      [
        ['this host', '127.0.0.1', '/usr/bin/perl', false],
        ['this host', lan, '/usr/bin/perl', true],
      ].toSorted(),
    );
  },
);

test('names who is connected to a unix socket', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-uses-'));
  const path = join(directory, 'door.sock');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const client: Socket = connect(path);
  await once(client, 'connect');
  t.after(() => {
    client.destroy();
    server.close();
    rmSync(directory, { recursive: true });
  });
  const { listeners } = await collectServices();
  const { uses } = await useWatcher().sample(listeners.filter(({ address }) => address === path));
  assert.deepEqual(
    uses.map(({ door, client: { program } }) => [door.address, program?.exe]),
    [[path, process.execPath]],
  );
});

const row = (local: string, remote: string, state: string, inode: number): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 20 4 30 10 -1\n`;
const heading = '  sl  local_address rem_address st\n';

test('a client that has closed is seen for as long as the kernel remembers it', async () => {
  const { listeners } = await collectServices();
  const [any] = listeners;
  assert.ok(any);
  const door = {
    ...any,
    protocol: 'tcp' as const,
    address: '::',
    port: 3306,
    v6only: false,
    netns: { ...any.netns, inode: 1, own: true },
  };
  const flows = flowsIn(
    'tcp',
    heading +
      row('0100007F:9C40', '0100007F:0CEA', '06', 0) +
      row('0700A8C0:0CEA', '0900A8C0:C350', '01', 77) +
      row('0700A8C0:D431', '08080808:01BB', '01', 78),
    'LE',
  );
  const pairs = pairsOf([door], [{ netns: 1, own: true, flows }], new Set(['192.168.0.7']));
  assert.deepEqual(
    pairs.map((pair) => useOf(pair, () => null).client),
    [
      { from: 'elsewhere', address: '192.168.0.9', to: '192.168.0.7', program: null, dialsOut: false },
      { from: 'this host', address: '127.0.0.1', to: '127.0.0.1', program: null, dialsOut: false },
    ],
  );
});

test('senders to a door of datagrams are those that the kernel tracks', async () => {
  const { listeners } = await collectServices();
  const [any] = listeners;
  assert.ok(any);
  const door = {
    ...any,
    protocol: 'udp' as const,
    address: '0.0.0.0',
    port: 514,
    netns: { ...any.netns, own: true },
  };
  const tracked = parseConntrack(
    'ipv4     2 udp      17 29 src=192.0.2.9 dst=192.0.2.1 sport=40000 dport=514 [UNREPLIED] src=192.0.2.1 dst=192.0.2.9 sport=514 dport=40000 mark=0 use=1\n',
  );
  assert.deepEqual(
    trackedUses([door], tracked, new Set(['192.0.2.1'])).map(({ client }) => [client.from, client.address]),
    [['elsewhere', '192.0.2.9']],
  );
});

test('ss tells both ends of a unix socket', () => {
  assert.deepEqual(
    parseUnixPeers(
      'u_str ESTAB 0      0      /run/my sql.sock 245418            * 245419\nu_dgr ESTAB 0 0 * 5 * 6\n',
    ),
    [
      { path: '/run/my sql.sock', inode: 245418, peer: 245419 },
      { path: null, inode: 5, peer: 6 },
    ],
  );
});

test('a book counts samples, keeps first and last, and how long was watched', () => {
  const door = { protocol: 'tcp' as const, address: '::', port: 3306, netns: 1 };
  const client = {
    from: 'elsewhere' as const,
    address: '192.0.2.9',
    to: '192.0.2.1',
    program: null,
    dialsOut: false,
  };
  const empty: UseBook = { since: 'a', watchedMs: 0, everyMs: 5, uses: [] };
  const first = noteUses(
    empty,
    [
      { door, client },
      { door, client },
    ],
    'b',
    5,
  );
  const twice = noteUses(noteUses(first, [], 'c', 5), [{ door, client }], 'd', 5);
  assert.deepEqual(parseBook(JSON.stringify(twice)), {
    since: 'a',
    watchedMs: 15,
    everyMs: 5,
    uses: [{ door, client, first: 'b', last: 'd', seen: 2 }],
  });
});
