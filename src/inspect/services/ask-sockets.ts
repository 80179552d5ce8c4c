import { spawn } from 'node:child_process';
import type { Descriptor } from './descriptors.ts';

/** What the kernel says of a socket that no table of /proc lists. */
export type AskedSocket = Descriptor & {
  inode: number;
  /** Inode of the network namespace that it belongs to. */
  namespace: number;
  /** AF_*, include/linux/socket.h */
  domain: number;
  /** SO_ACCEPTCONN: it listens. */
  listens: boolean;
  /** What getsockname(2) gives: struct sockaddr. */
  name: Buffer;
};

/**
 * pidfd_getfd(2), then SIOCGSKNS, SO_DOMAIN, SO_ACCEPTCONN and getsockname(2) of each: `pid descriptor inode` a line.
 * A copy of the descriptor is had for a moment; nothing is read from it.
 */
const script = `my ($last, $process) = (0, -1);
while (<STDIN>) {
  my ($pid, $number, $inode) = split;
  if ($pid != $last) { $last = $pid; $process = syscall(434, $pid + 0, 0); }
  next if $process < 0;
  my $copy = syscall(438, $process, $number + 0, 0);
  next if $copy < 0;
  open(my $socket, '+<&=', $copy) or next;
  next if (stat $socket)[1] != $inode;
  my $space = ioctl($socket, 0x894C, 0) or next;
  open(my $namespace, '<&=', $space) or next;
  my ($domain, $listens) = map { unpack 'i', getsockopt($socket, 1, $_) // '' } (39, 30);
  print join(' ', $pid, $number, $inode, (stat $namespace)[1], $domain, $listens // 0, unpack('H*', getsockname($socket) // '')), "\\n";
}`;

/**
 * Asks the kernel about sockets in other processes. Perl is essential in Debian, and Node has no such system calls.
 * Those that are gone, or that may not be asked, are left out.
 * @throws Error where perl cannot be run
 */
export const askSockets = async (
  sockets: readonly (Descriptor & { inode: number })[],
): Promise<AskedSocket[]> => {
  const sorted = sockets.toSorted((a, b) => a.pid - b.pid);
  const child = spawn('perl', ['-e', script], { stdio: ['pipe', 'pipe', 'ignore'], timeout: 10_000 });
  const printed = new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('latin1').on('data', (piece: string) => (text += piece));
    child.on('error', reject).on('close', (status) => {
      if (status === 0) resolve(text);
      else reject(new Error('perl did not answer'));
    });
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(sorted.map(({ pid, descriptor, inode }) => `${pid} ${descriptor} ${inode}\n`).join(''));
  return parseAnswers(await printed);
};

export const parseAnswers = (text: string): AskedSocket[] =>
  [...text.matchAll(/^(\d+) (\d+) (\d+) (\d+) (\d+) (\d+) ([0-9a-f]*)$/gm)].map((match) => {
    const [, pid, descriptor, inode, namespace, domain, listens] = match.map(Number);
    return {
      pid: pid ?? 0,
      descriptor: descriptor ?? 0,
      inode: inode ?? 0,
      namespace: namespace ?? 0,
      domain: domain ?? 0,
      listens: listens === 1,
      name: Buffer.from(match[7] ?? '', 'hex'),
    };
  });
