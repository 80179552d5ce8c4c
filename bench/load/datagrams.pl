# Sends lines of a file as datagrams, one each, without their line end: datagrams.pl PORT RATE FILE FROM LINES EVERY_US
#
# It maps LINES lines from byte FROM on, says `{"connected":true}`, waits for a line on standard input, sends RATE
# datagrams a second (0: as fast as the kernel takes them) and says
# `{"sent":{"datagrams":N,"bytes":N,"started":"NS","ended":"NS"}}` (CLOCK_MONOTONIC). Every EVERY_US microseconds
# it sends what is due by then, so that the pace is even.
#
# In Perl because it is on every Debian and can call sendmmsg(2): what Node takes to send a datagram is several times
# what any receiver takes to read it.
use strict;
use warnings;
use Socket;

my ($port, $rate, $path, $from, $lines, $every) = @ARGV;
my $machine = qx(uname -m) =~ s/\s//gr;
my %numbers = (x86_64 => [307, 228], aarch64 => [269, 113]);
my ($sendmmsg, $clock_gettime) = @{ $numbers{$machine} // die "no system call numbers for $machine\n" };

sub now_ns {
  my $time = "\0" x 16;
  syscall($clock_gettime, 1, $time) == 0 or die "clock_gettime: $!\n";
  my ($seconds, $ns) = unpack 'qq', $time;
  return $seconds * 1_000_000_000 + $ns;
}

socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
setsockopt($socket, SOL_SOCKET, SO_SNDBUF, 4 * 1024 * 1024);
connect($socket, sockaddr_in($port, inet_aton('127.0.0.1'))) or die "connect: $!\n";
my $fd = fileno $socket;

open(my $file, '<:raw', $path) or die "$path: $!\n";
my $data = '';
my @ends;
{
  seek $file, $from, 0;
  my $counted = 0;
  while ($counted < $lines) {
    read($file, my $block, 1 << 20) or die "$path has fewer than $lines lines from byte $from on\n";
    my $before = length $data;
    $data .= $block;
    for (my $at = index $block, "\n"; $at >= 0 && $counted < $lines; $at = index $block, "\n", $at + 1) {
      push @ends, $before + $at;
      $counted += 1;
    }
  }
}

sub address { return unpack 'J', pack 'P', $_[0] }

my $begin = address($data);
my $bytes = 0;
my $vectors = '';
my $at = 0;
for my $end (@ends) {
  $vectors .= pack 'JJ', $begin + $at, $end - $at;
  $bytes += $end - $at;
  $at = $end + 1;
}
my $vector = address($vectors);
my $messages = '';
# struct mmsghdr of a 64-bit machine, 64 bytes: no address, one vector, nothing else.
$messages .= pack 'JLx4JJJJLx4Lx4', 0, 0, $vector + 16 * $_, 1, 0, 0, 0, 0 for 0 .. $lines - 1;
my $message = address($messages);

$| = 1;
print qq({"connected":true}\n);
defined(scalar <STDIN>) or exit 0;
my $started = now_ns();
my $sent = 0;
while ($sent < $lines) {
  my $due = $rate == 0 ? $lines : int((now_ns() - $started) * $rate / 1e9);
  $due = $lines if $due > $lines;
  while ($sent < $due) {
    my $count = $due - $sent;
    $count = 256 if $count > 256;
    my $result = syscall($sendmmsg, $fd, $message + 64 * $sent, $count, 0);
    die "sendmmsg: $!\n" if $result < 0;
    $sent += $result;
  }
  select undef, undef, undef, $every / 1e6 if $sent < $lines;
}
my $ended = now_ns();
print qq({"sent":{"datagrams":$sent,"bytes":$bytes,"started":"$started","ended":"$ended"}}\n);
1 while defined(scalar <STDIN>);
