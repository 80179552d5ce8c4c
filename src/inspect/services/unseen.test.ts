import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Endpoint } from './endpoints.ts';
import { describeHolders } from './holder.ts';
import { collectServices, newMemory, packageFinder, type ServicesReport } from './index.ts';

const needsRoot = process.geteuid?.() === 0 ? false : 'mounts, network namespaces and other users take root';

/** Runs the collector as a program, in surroundings of its own. */
const elsewhere = async (command: readonly string[]): Promise<ServicesReport> => {
  const program = `import { collectServices } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
    process.stdout.write(JSON.stringify(await collectServices()));`;
  const [first = '', ...rest] = [...command, process.execPath, '--input-type=module', '-e', program];
  const child = spawn(first, rest, { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const piece of child.stdout.setEncoding('utf8')) output += String(piece);
  return JSON.parse(output);
};

const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all'];

const mounting = (command: string): string[] => [
  'unshare',
  '--mount',
  '--propagation=private',
  'sh',
  '-c',
  `${command} && exec "$@"`,
  'sh',
];

/** A server of this process, root's, on loopback. */
const portOfServer = async (t: TestContext): Promise<number | undefined> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
};

const namespace = (t: TestContext): string => {
  const name = `hf-u${process.pid}-${Math.trunc(performance.now())}`;
  execFileSync('ip', ['netns', 'add', name]);
  t.after(() => execFileSync('ip', ['netns', 'del', name]));
  return name;
};

test('without root it says what it could not see', { skip: needsRoot }, async (t) => {
  const port = await portOfServer(t);
  const name = namespace(t);
  const report = await elsewhere(nobody);
  const found = report.listeners.find((one) => one.protocol === 'tcp' && one.port === port);
  assert.equal(found?.holder, 'unseen');
  assert.equal(found?.uid, 0);
  assert.match(found?.whyUnseen ?? '', /could not be read/);
  assert.equal(found?.netns.own, true);
  assert.ok(report.unreadable.includes(process.pid));
  const gaps = JSON.stringify(report.couldNotLook);
  assert.ok(
    report.couldNotLook.some(
      ({ what, remedy }) => what.startsWith('sockets held by') && remedy === 'run as root',
    ),
    gaps,
  );
  const closed = report.couldNotLook.find(({ what }) => what.includes(name));
  assert.match(closed?.why ?? '', /entering it failed: nsenter: [^\n]*(?:permitted|denied)$/, gaps);
});

test('with hidepid nothing is said of processes that may be there', { skip: needsRoot }, async (t) => {
  const port = await portOfServer(t);
  const name = namespace(t);
  for (const option of ['hidepid=2', 'hidepid=1']) {
    const report = await elsewhere([...mounting(`mount -t proc -o ${option} proc /proc`), ...nobody]);
    const found = report.listeners.find((one) => one.protocol === 'tcp' && one.port === port);
    assert.equal(found?.holder, 'unseen');
    assert.match(
      found?.whyUnseen ?? '',
      /may belong to a process that is hidden: \/proc is mounted with hidepid/,
    );
    const gaps = JSON.stringify(report.couldNotLook);
    assert.ok(
      report.couldNotLook.some(
        ({ what, remedy }) => what.startsWith('processes of other users') && remedy === 'run as root',
      ),
      gaps,
    );
    const closed = report.couldNotLook.find(({ what }) => what.includes(name));
    assert.match(closed?.why ?? '', /^it could not be told whether a process is in it/, gaps);
  }
});

test('no procfs is not an empty host', { skip: needsRoot }, async () => {
  for (const blindness of ['umount -l /proc', 'mount -t tmpfs none /proc']) {
    const { listeners, couldNotLook } = await elsewhere(mounting(blindness));
    assert.deepEqual(listeners, []);
    assert.deepEqual(
      couldNotLook.map(({ what, remedy }) => [what, remedy]),
      [['sockets and processes', 'mount a procfs: mount -t proc proc /proc']],
    );
  }
});

const directory = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-unseen-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};

test('a procfs without socket tables is not an empty host', async (t) => {
  const proc = directory(t);
  mkdirSync(join(proc, '1/net'), { recursive: true });
  writeFileSync(join(proc, '1/status'), 'Name:\tinit\nUid:\t0\t0\t0\t0\n');
  const without = await collectServices({ proc, root: proc });
  assert.match(
    without.couldNotLook.map(({ what }) => what).join(),
    /sockets of the host's own network namespace/,
  );
  writeFileSync(join(proc, '1/net/dev'), ' lo: 1\n');
  const empty = await collectServices({ proc, root: proc });
  assert.match(
    empty.couldNotLook.map(({ what }) => what).join(),
    /sockets of the host's own network namespace/,
  );
  writeFileSync(join(proc, '1/net/tcp'), 'heading\n');
  const clean = await collectServices({ proc, root: proc });
  assert.deepEqual(
    clean.couldNotLook.filter(({ what }) => what.startsWith('sockets of')),
    [],
  );
});

test('a usual port is the kernel’s only if every process was seen', async (t) => {
  const root = directory(t);
  mkdirSync(join(root, 'sys/class/net/vx0'), { recursive: true });
  writeFileSync(join(root, 'sys/class/net/vx0/uevent'), 'DEVTYPE=vxlan\nINTERFACE=vx0\n');
  mkdirSync(join(root, 'proc/self/ns'), { recursive: true });
  symlinkSync('pid:[4026531836]', join(root, 'proc/self/ns/pid'));
  const endpoint: Endpoint = {
    row: { protocol: 'udp', family: 4, address: '0.0.0.0', port: 4789, uid: 0, inode: 7 },
    inodes: [7],
    namespace: { inode: 1, name: null, own: true, container: null, enter: [], read: () => null },
    surroundings: 'own',
  };
  const held = async (unseen: { hidden: string | null; unreadable: number[] }) => {
    const paths = { proc: join(root, 'proc'), sys: join(root, 'sys'), root };
    const holders = { byInode: new Map(), others: new Map(), namespaces: new Map(), ...unseen };
    const described = await describeHolders(paths, [endpoint], holders, newMemory(), packageFinder());
    return described.held.get(endpoint)?.holder;
  };
  assert.equal(await held({ hidden: null, unreadable: [] }), 'kernel');
  assert.equal(await held({ hidden: 'hidepid', unreadable: [] }), 'unseen');
  assert.equal(await held({ hidden: null, unreadable: [4] }), 'unseen');
});
