import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { collectServices, type Listener, type ServicesReport } from './index.ts';
import { packageFinder } from './packages.ts';

const root = process.geteuid?.() === 0;
const needsRoot = root ? false : 'network namespaces and other users take root';
const fixture = join(import.meta.dirname, 'listening.fixture.ts');

/** Starts a program, waits for its first line, and ends it (by closing its input) after the test. */
const start = async (t: TestContext, command: string, args: string[]): Promise<string> => {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
  });
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error(`${command} ended without a word`);
};

const namespace = (t: TestContext): string => {
  const name = `hf-${process.pid}-${Math.trunc(performance.now())}`;
  execFileSync('ip', ['netns', 'add', name]);
  t.after(() => execFileSync('ip', ['netns', 'del', name]));
  return name;
};

/** Any kind of interface will do; which ones a kernel has differs. */
const addInterface = (name: string): void => {
  for (const type of ['dummy', 'bridge']) {
    try {
      execFileSync('ip', ['-n', name, 'link', 'add', 'hf0', 'type', type], { stdio: 'pipe' });
      return;
    } catch {
      // the next kind
    }
  }
  throw new Error('this kernel has neither dummy nor bridge interfaces');
};

/** One line for each holder of each endpoint, as ss shows them. */
const seenBySs = (args: string[], inside: string[] = []): string[] => {
  const [program = '', ...rest] = [...inside, 'ss', ...args];
  const lines = execFileSync(program, rest, { encoding: 'utf8' }).trim().split('\n').filter(Boolean);
  const all = lines.flatMap((line) => {
    const [protocol = '', , , , local = ''] = line.split(/\s+/);
    const at = local.lastIndexOf(':');
    const address = local
      .slice(0, at)
      .replace(/^\[|\]$/g, '')
      .replace(/%.*$/, '')
      .replace('*', '::');
    const pids = [...line.matchAll(/pid=(\d+)/g)].map(([, pid]) => pid);
    return (pids.length === 0 ? ['-'] : pids).map(
      (pid) => `${protocol} ${address} ${local.slice(at + 1)} ${pid}`,
    );
  });
  return [...new Set(all)].sort();
};

const seenByUs = ({ listeners }: ServicesReport, wanted: (one: Listener) => boolean): string[] => {
  const all = listeners
    .filter((one) => (one.protocol === 'tcp' || one.protocol === 'udp') && wanted(one))
    .flatMap((one) =>
      (one.processes.length === 0 ? ['-'] : one.processes.map(({ pid }) => pid)).map(
        (pid) => `${one.protocol} ${one.address} ${one.port} ${pid}`,
      ),
    );
  return [...new Set(all)].sort();
};

test('sees in this namespace what ss -lntup sees: endpoints and pids', async (t) => {
  const opened: { shared: number; pid: number; child: number; connected: number; datagram: number } =
    JSON.parse(await start(t, process.execPath, [fixture]));
  const ofFixture = (all: readonly string[]): string[] =>
    all.filter((line) => [opened.pid, opened.child].some((pid) => line.endsWith(` ${pid}`)));
  // Other programs may open and close sockets between the two looks; the fixture does not.
  for (let attempt = 0; ; attempt += 1) {
    const before = seenBySs(['-H', '-lntup']);
    const report = await collectServices();
    const ours = seenByUs(report, ({ netns }) => netns.own);
    const isStable = isDeepStrictEqual(before, seenBySs(['-H', '-lntup']));
    if (!isStable && attempt < 20) continue;
    assert.deepEqual(ofFixture(ours), ofFixture(before));
    if (!isDeepStrictEqual(ours, before) && attempt < 20) continue;
    assert.deepEqual(ours, before);
    assert.ok(ours.length >= 45, `too few to mean anything: ${ours.length}`);

    const shared = report.listeners.find((one) => one.protocol === 'tcp' && one.port === opened.shared);
    assert.deepEqual(
      shared?.processes.map(({ pid }) => pid),
      [opened.pid, opened.child].sort((a, b) => a - b),
    );
    assert.equal(shared?.scope, 'local');
    assert.equal(shared?.holder, 'process');
    const udp = report.listeners.filter((one) => one.protocol === 'udp').map(({ port }) => port);
    assert.ok(udp.includes(opened.datagram));
    assert.ok(!udp.includes(opened.connected), 'a connected UDP socket takes bytes from one peer only');
    return;
  }
});

test('sees other network namespaces, and which wildcards are IPv6 only', { skip: needsRoot }, async (t) => {
  const name = namespace(t);
  execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  await start(t, 'ip', ['netns', 'exec', name, process.execPath, fixture, 'wildcards']);
  const report = await collectServices();
  const inside = (one: Listener): boolean => one.netns.name === name;
  assert.deepEqual(seenByUs(report, inside), seenBySs(['-H', '-lntup'], ['ip', 'netns', 'exec', name]));

  const wildcard = (port: number) => {
    const one = report.listeners.find((listener) => inside(listener) && listener.port === port);
    return one === undefined ? null : [one.protocol, one.address, one.v6only, one.scope, one.netns.own];
  };
  assert.deepEqual(wildcard(7001), ['tcp', '0.0.0.0', null, 'local', false]);
  assert.deepEqual(wildcard(7002), ['tcp', '::', false, 'local', false]);
  assert.deepEqual(wildcard(7003), ['tcp', '::', true, 'local', false]);
  assert.deepEqual(wildcard(7004), ['udp', '::', false, 'local', false]);

  addInterface(name);
  const reachable = await collectServices();
  const scope = (port: number) => reachable.listeners.find((one) => inside(one) && one.port === port)?.scope;
  assert.equal(scope(7002), 'container');
});

const setns = process.arch === 'x64' ? 308 : process.arch === 'arm64' ? 268 : null;

test(
  'sees a socket in a namespace that no process is in, and its holder elsewhere',
  { skip: needsRoot || (setns === null && 'no system call number for this processor') },
  async (t) => {
    const name = namespace(t);
    const script = `use IO::Socket::INET; $| = 1;
      open my $home, '<', '/proc/self/ns/net' or die; open my $away, '<', '/run/netns/${name}' or die;
      syscall(${setns}, fileno($away), 0x40000000) == 0 or die "setns: $!";
      my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '0.0.0.0', LocalPort => 7010) or die;
      syscall(${setns}, fileno($home), 0x40000000) == 0 or die "setns: $!";
      print "$$\\n"; <STDIN>;`;
    const pid = Number(await start(t, 'perl', ['-e', script]));
    const { listeners, couldNotLook } = await collectServices();
    const found = listeners.filter((one) => one.netns.name === name);
    assert.deepEqual(
      found.map(({ protocol, address, port, processes }) => [
        protocol,
        address,
        port,
        processes.map((one) => one.pid),
      ]),
      [['tcp', '0.0.0.0', 7010, [pid]]],
    );
    assert.deepEqual(
      couldNotLook.filter(({ what }) => what.includes(name)),
      [],
    );
  },
);

test('names executable, script, package and user, and tells a deleted executable', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-inspect-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const script = join(directory, 'answer.pl');
  writeFileSync(
    script,
    `use IO::Socket::INET; $| = 1; my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die;
     print $s->sockport . "\\n"; <STDIN>;`,
  );
  const copy = join(directory, 'perl');
  copyFileSync('/usr/bin/perl', copy);
  const [packaged, unlinked] = [
    Number(await start(t, '/usr/bin/perl', [script, '--password=secret'])),
    Number(await start(t, copy, [script])),
  ];
  rmSync(copy);
  const report = await collectServices();
  const holder = (port: number) => report.listeners.find((one) => one.port === port)?.processes[0];
  assert.equal(holder(packaged)?.exe, '/usr/bin/perl');
  assert.equal(holder(packaged)?.package, 'perl-base');
  assert.equal(holder(packaged)?.packageRequired, true);
  assert.equal(holder(packaged)?.interpreter, true);
  assert.equal(holder(packaged)?.script, script);
  assert.equal(holder(packaged)?.uid, process.geteuid?.());
  if (root) assert.equal(holder(packaged)?.user, 'root');
  assert.equal(holder(packaged)?.deleted, false);
  assert.equal(holder(unlinked)?.exe, copy);
  assert.equal(holder(unlinked)?.deleted, true);
  assert.equal(holder(unlinked)?.package, null);
  assert.ok(!JSON.stringify(report).includes('secret'), 'command lines carry secrets');
});

test('marks a UDP socket that was gone at the second look', async () => {
  const passing = createSocket('udp4').bind(0, '127.0.0.1');
  const staying = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(passing, 'listening'), once(staying, 'listening')]);
  const [gone, kept] = [passing.address().port, staying.address().port];
  const packages = packageFinder();
  const { listeners } = await collectServices({
    packages: {
      ...packages,
      find: (files) => {
        passing.close(); // the tables have been read when this is asked, and are looked at once more afterwards
        return packages.find(files);
      },
    },
  });
  staying.close();
  const transient = (port: number) =>
    listeners.find((one) => one.protocol === 'udp' && one.port === port)?.transient;
  assert.equal(transient(gone), true);
  assert.equal(transient(kept), false);
});
