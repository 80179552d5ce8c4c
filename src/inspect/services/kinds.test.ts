import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { collectServices } from './collect.ts';
import type { Listener } from './report.ts';
import { firstLine } from './first-line.fixture.ts';

const skip = process.geteuid?.() === 0 ? false : 'raw and packet sockets take root';

/** One socket of each kind that takes bytes from anyone, and of each some that do not. */
const sockets = `use Socket qw(:DEFAULT inet_pton); $| = 1; my ($d) = @ARGV; our @open;
sub made { my ($af, $type, $proto, $name) = @_; socket(my $s, $af, $type, $proto) or die "$proto: $!";
  if (defined $name) { bind($s, $name) or die "bind: $!"; } push @open, $s; return $s; }
my $lo = inet_aton('127.0.0.1'); my $any6 = inet_pton(AF_INET6, '::1');
my $lite = made(AF_INET, SOCK_DGRAM, 136, pack_sockaddr_in(0, $lo));
my $lite6 = made(AF_INET6, SOCK_DGRAM, 136, pack_sockaddr_in6(0, $any6));
made(AF_INET, SOCK_RAW, 253);
my $con = made(AF_INET, SOCK_DGRAM, 17, pack_sockaddr_in(0, $lo)); connect($con, pack_sockaddr_in(9, $lo));
my $dev = made(AF_INET, SOCK_DGRAM, 17); setsockopt($dev, 1, 25, "lo\\0") or die; bind($dev, pack_sockaddr_in(0, INADDR_ANY));
made(17, SOCK_RAW, unpack('S', pack('n', 0x88b5)));
umask 0; my $stream = made(AF_UNIX, SOCK_STREAM, 0, pack_sockaddr_un("$d/stream")); listen($stream, 1); chmod 0660, "$d/stream";
my $seq = made(AF_UNIX, SOCK_SEQPACKET, 0, pack_sockaddr_un("$d/seq")); listen($seq, 1); chmod 0666, "$d/seq";
made(AF_UNIX, SOCK_DGRAM, 0, pack_sockaddr_un("$d/datagram"));
made(AF_UNIX, SOCK_STREAM, 0, pack_sockaddr_un("$d/idle"));
my $abs = made(AF_UNIX, SOCK_STREAM, 0, pack_sockaddr_un("\\0hf-kinds-$$")); listen($abs, 1);
my @ports = ((unpack_sockaddr_in(getsockname($lite)))[0], (unpack_sockaddr_in6(getsockname($lite6)))[0], (unpack_sockaddr_in(getsockname($dev)))[0]);
print "$$ @ports\\n"; <STDIN>;`;

describe('kinds of sockets', { skip }, () => {
  const directory = skip ? '' : mkdtempSync(join(tmpdir(), 'holdfast-kinds-'));
  let own: Listener[] = [];
  let [lite, lite6, device] = [0, 0, 0];
  let end = (): Promise<unknown> => Promise.resolve();
  before(async () => {
    const child = spawn('perl', ['-e', sockets, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    end = () => {
      child.stdin.end();
      return ended;
    };
    const [pid, ...bound] = (await firstLine(child)).split(' ').map(Number);
    [lite = 0, lite6 = 0, device = 0] = bound;
    const { listeners } = await collectServices();
    own = listeners.filter(({ processes }) => processes.some((one) => one.pid === pid));
  });
  after(async () => {
    await end();
    rmSync(directory, { recursive: true, force: true });
  });
  const of = (protocol: string) =>
    own
      .filter((one) => one.protocol === protocol)
      .map(({ address, port }) => `${address.replace(directory, '').replace(/\d+$/, 'N')} ${port ?? '-'}`)
      .toSorted();

  it('sees UDP-Lite, raw and packet sockets', () => {
    assert.deepEqual(of('udplite'), [`127.0.0.N ${lite}`, `::N ${lite6}`]);
    assert.deepEqual(of('raw'), ['0.0.0.N 253']);
    assert.deepEqual(of('packet'), ['* 34997']);
  });

  it('sees a UDP socket that takes from anyone, and on which interface alone', () => {
    assert.deepEqual(of('udp'), [`0.0.0.N ${device}`]);
    assert.equal(own.find(({ port }) => port === device)?.device, 'lo');
  });

  it('sees unix sockets of every type that take from anyone, by path and abstract', () => {
    assert.deepEqual(of('unix'), ['/datagram -', '/seq -', '/stream -', '@hf-kinds-N -']);
  });

  it('says who may connect to a path', () => {
    const at = (name: string) => own.find(({ address }) => address === join(directory, name))?.permissions;
    const through = `through ${directory} (0700 root:root)`;
    assert.deepEqual(at('stream'), {
      mode: '0660',
      owner: 'root',
      group: 'root',
      connect: `user root, group root; ${through}`,
    });
    assert.equal(at('seq')?.connect, `anyone; ${through}`);
  });

  it('says since when, and what started it', () => {
    const [one] = own;
    const [holder] = one?.processes ?? [];
    assert.equal(one?.listeningSince, holder?.startedAt);
    const age = Date.now() - Date.parse(holder?.startedAt ?? '');
    assert.ok(age > -2000 && age < 60_000, holder?.startedAt ?? 'never');
    assert.equal(holder?.package, 'perl-base');
    assert.match(holder?.version ?? '', /^5\./);
    assert.deepEqual(holder?.args, ['-e', '…', directory]);
  });
});
