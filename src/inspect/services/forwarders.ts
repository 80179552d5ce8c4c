/**
 * Whether a process with this executable and command line holds its listener for something else, and for what.
 * `null`: it is no forwarder. `{ to: null }`: it is one, and its command line does not tell the other end.
 */
export const forwarderOf = (
  executable: string | null,
  argv: readonly string[],
): { to: string | null } | null => {
  const name = executable?.slice(executable.lastIndexOf('/') + 1) ?? '';
  switch (name) {
    case 'docker-proxy':
      return { to: join(valueOf(argv, '-container-ip'), valueOf(argv, '-container-port')) };
    case 'systemd-socket-proxyd':
      return { to: argv.slice(1).findLast((argument) => !argument.startsWith('-')) ?? null };
    case 'rootlessport':
    case 'rootlesskit':
    case 'slirp4netns':
    case 'pasta':
    case 'pasta.avx2':
    case 'gvproxy':
      return { to: null };
    case 'conmon':
      // Podman has it hold a published port, so that nobody else takes that; it reads nothing: a rule sends all of it on.
      return { to: null };
    case 'ssh':
      return { to: destinationOf(argv) };
    case 'sshd':
    case 'sshd-session': {
      // The session of a user, as it titles itself, as against the daemon's own listener.
      const user = /^sshd(?:-session)?: ([^/\s]+)$/.exec((argv[0] ?? '').replace(/@\S*$/, '').trim())?.[1];
      return user === undefined ? null : { to: `the ssh client of ${user}` };
    }
    default:
      return null;
  }
};

/** Flags of ssh(1) whose last one takes the next argument as its value. */
const takesNext = /^-[46AaCfGgKkMNnqsTtVvXxYy]*[BbcDEeFIiJLlmOoPpQRSWw]$/;

/** The host that ssh(1) is told to go to. */
const destinationOf = (argv: readonly string[]): string | null => {
  for (let at = 1; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    if (argument === '--') return argv[at + 1] ?? null;
    if (!argument.startsWith('-')) return argument;
    if (takesNext.test(argument)) at += 1;
  }
  return null;
};

const valueOf = (argv: readonly string[], flag: string): string | null => {
  const at = argv.indexOf(flag);
  return at < 0 ? null : (argv[at + 1] ?? null);
};

const join = (address: string | null, port: string | null): string | null =>
  address === null || port === null
    ? null
    : address.includes(':')
      ? `[${address}]:${port}`
      : `${address}:${port}`;
