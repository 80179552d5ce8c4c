/**
 * What stands before a command that is to run in a network namespace; `[]` for that of this process. Only the network
 * is entered: programs and files are this host's, so that nothing of a container's own is run.
 */
export type Enter = readonly string[];

export const hereAlready: Enter = [];

/** @param path what nsenter(1) takes: a file of nsfs */
export const enterByFile = (path: string): Enter => ['nsenter', `--net=${path}`, '--'];

/** setns(2), where the system call has this number; pidfd_open and pidfd_getfd have one for every processor. */
const setns: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 308, arm64: 268 };

/**
 * Enters the namespace of another process's socket: pidfd_getfd(2), then SIOCGSKNS (include/uapi/linux/sockios.h). For
 * namespaces that nothing but a socket holds. Perl is essential in Debian, and Node has no such system calls.
 */
const bySocket = `my ($pid, $number, $setns, @command) = @ARGV;
my $process = syscall(434, $pid + 0, 0); $process >= 0 or die "pidfd_open: $!\\n";
my $copy = syscall(438, $process, $number + 0, 0); $copy >= 0 or die "pidfd_getfd: $!\\n";
open(my $socket, '+<&=', $copy) or die "socket: $!\\n";
my $space = ioctl($socket, 0x894C, 0); defined $space or die "SIOCGSKNS: $!\\n";
syscall($setns + 0, $space + 0, 0x40000000) == 0 or die "setns: $!\\n";
exec(@command) or die "$command[0]: $!\\n";`;

/** @returns `null` on processors whose number of setns(2) is not known here */
export const enterBySocket = (pid: number, descriptor: number): Enter | null => {
  const number = setns[process.arch];
  return number === undefined
    ? null
    : ['perl', '-e', bySocket, String(pid), String(descriptor), String(number)];
};
