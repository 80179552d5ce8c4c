import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { collectServices } from './collect.ts';
import { parseNamespaceMounts } from './held-namespaces.ts';
import { firstLine } from './first-line.fixture.ts';

const setns = process.arch === 'x64' ? 308 : process.arch === 'arm64' ? 268 : null;
const unshare = process.arch === 'x64' ? 272 : 97;
const skip =
  setns === null
    ? 'no system call number for this processor'
    : spawnSync('unshare', ['--net', 'true']).status === 0
      ? false
      : 'network namespaces take root';

/** Opens a port in a new namespace that it leaves again, and does with it what the script says. */
const start = async (t: TestContext, keep: string): Promise<number> => {
  const script = `use IO::Socket::INET; use Socket; $| = 1;
    open my $home, '<', '/proc/self/ns/net' or die;
    syscall(${unshare}, 0x40000000) == 0 or die "unshare: $!";
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '0.0.0.0', LocalPort => 7020) or die;
    ${keep}
    syscall(${setns}, fileno($home), 0x40000000) == 0 or die "setns: $!";
    print "$$\\n"; <STDIN>;`;
  const child = spawn('unshare', ['--mount', 'perl', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  return Number(await firstLine(child));
};

for (const [what, keep] of [
  ['a socket', ''],
  ['a descriptor', `open our $kept, '<', '/proc/self/ns/net' or die;`],
  [
    'a mount',
    `system("mount -t tmpfs tmpfs /mnt && touch /mnt/x && mount --bind /proc/self/ns/net /mnt/x") == 0 or die;`,
  ],
] as const)
  test(`a namespace that ${what} alone holds is looked into`, { skip }, async (t) => {
    const pid = await start(t, keep);
    const { listeners } = await collectServices();
    const found = listeners.filter(({ port, netns }) => port === 7020 && !netns.own);
    assert.deepEqual(
      found.map(({ address, processes }) => [address, processes.map((one) => one.pid)]),
      [['0.0.0.0', [pid]]],
    );
  });

test('a vsock listener, which no table of /proc has, is seen by its descriptor', { skip }, async (t) => {
  const script = `use Socket; $| = 1; socket(my $s, 40, SOCK_STREAM, 0) or do { print "none\\n"; exit };
    bind($s, pack('SSLLx4', 40, 0, 7021, 0xffffffff)) && listen($s, 1) or die $!; print "$$\\n"; <STDIN>;`;
  const child = spawn('perl', ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.stdin.end());
  const line = await firstLine(child);
  if (line === 'none') return t.skip('this kernel has no vsock');
  const { listeners } = await collectServices();
  assert.deepEqual(
    listeners
      .filter(({ protocol, port }) => protocol === 'vsock' && port === 7021)
      .map(({ address, processes }) => [address, processes.map(({ pid }) => pid)]),
    [['*', [Number(line)]]],
  );
});

test('mounts of namespaces are read from mountinfo', () => {
  const text =
    '36 35 0:4 net:[4026532218] /run/netns/a\\040b rw shared:5 - nsfs nsfs rw\n37 35 8:1 / / rw - ext4 /dev/sda rw\n';
  assert.deepEqual(parseNamespaceMounts(text), [{ inode: 4026532218, point: '/run/netns/a b' }]);
});
