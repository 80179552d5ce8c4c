import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Sockets of each process: so many listen, and so many pairs are connected to one of these. */
const listening = 16;
const pairs = 8;

/** Sockets that one process holds. */
export const socketsEach = listening + 2 * pairs;

/** Forks processes that hold sockets on loopback until its input ends. */
const script = `use Socket; $| = 1; my ($processes, $listening, $pairs) = @ARGV; my $home = inet_aton('127.0.0.1');
pipe(my $ready, my $say); my @children;
for (1 .. $processes) { my $pid = fork; if ($pid) { push @children, $pid; next }
  close STDIN; my @open;
  for (1 .. $listening) { socket(my $s, AF_INET, SOCK_STREAM, 0) or die; bind($s, sockaddr_in(0, $home)) or die; listen($s, 8); push @open, $s }
  for (1 .. $pairs) { socket(my $c, AF_INET, SOCK_STREAM, 0) or die; connect($c, getsockname($open[0])) or die; accept(my $a, $open[0]); push @open, $c, $a }
  syswrite $say, 'x'; sleep 100000; exit }
for (1 .. $processes) { sysread $ready, my $one, 1 }
print "ready\\n"; <STDIN>; kill 'KILL', @children;`;

/** Processes with sockets, for as long as they are wanted. */
export const populate = async (processes: number): Promise<{ end(): Promise<void> }> => {
  const child = spawn('perl', ['-e', script, String(processes), String(listening), String(pairs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(createInterface(child.stdout), 'line');
  return {
    async end() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
};
