import type { CouldNotLook } from '#base/looked';
import type { InitSystem } from '../host.ts';
import type { Container } from './containers.ts';
import type { Enter } from './enter.ts';

export type Protocol = 'tcp' | 'udp' | 'udplite' | 'sctp' | 'raw' | 'packet' | 'unix' | 'vsock';

/**
 * Who can send bytes to the listener, judged by its address alone (firewalls are another question):
 *
 * - `public`: every address of the host, or one specific global address;
 * - `network`: one private, shared, link-local or multicast address: whoever is on that network;
 * - `local`: a loopback address, a unix socket, or a network namespace that has no interface but lo;
 * - `container`: another network namespace than the host's own; what of it is published shows elsewhere, as a
 *   forwarder's listener or as a DNAT rule.
 *
 * A wildcard in the host's own namespace is `public` even while the host has no network: plugging in a cable is not
 * a change of configuration.
 */
export type Scope = 'public' | 'network' | 'local' | 'container';

/**
 * - `process`: an ordinary process has it open;
 * - `systemd`: systemd has it open, for a service (whether or not that runs already); the address comes from the
 *   `.socket` unit, not from the service's configuration;
 * - `kernel`: the kernel itself serves it, and it is known which part of the kernel;
 * - `forwarder`: held for something else, e.g. docker-proxy or `ssh -R`;
 * - `unseen`: nobody was found; `whyUnseen` says why.
 */
export type Holder = 'process' | 'systemd' | 'kernel' | 'forwarder' | 'unseen';

export type HolderProcess = {
  pid: number;
  /** Path of the executable in the process's own root; `null` if it may not be read. */
  exe: string | null;
  /** The executable was removed or replaced since the process started. */
  deleted: boolean;
  /** For an interpreter: the script or module it runs. */
  script: string | null;
  /** Name by the host's /etc/passwd, else the number as text. */
  user: string | null;
  uid: number | null;
  /** systemd unit by cgroup, e.g. `ssh.service`. */
  unit: string | null;
  /** Debian package that brought the executable, from the package database of the process's own root. */
  package: string | null;
  /** The system needs that package: it is essential, protected, or of priority `required` (deb-control(5)). */
  packageRequired: boolean;
  /** It runs other people's programs (perl, java, busybox, …), with or without a script that could be named. */
  interpreter: boolean;
  /** Of the package, as dpkg has it. */
  version: string | null;
  /** Its command line without the program; what looks like a secret is left out (`…`). */
  args: string[];
  /** systemd starts the unit, or the socket that starts it, at boot; `null`: it is no unit's, or that cannot be told. */
  enabled: boolean | null;
  /** RFC 3339, when the process started. */
  startedAt: string | null;
  /** It runs in one, whatever its network namespace. */
  container: Container | null;
};

/** Who may connect to a unix socket that has a path, by the modes of the socket and of the directories above it. */
export type UnixPermissions = {
  /** Octal, e.g. `0660`. */
  mode: string;
  owner: string;
  group: string;
  /** `anyone`, or e.g. `user root, group docker`. */
  connect: string;
};

export type NetworkNamespace = {
  /** The `net:[…]` inode; `null` if it may not be read. */
  inode: number | null;
  /** Name under /run/netns or /run/docker/netns. */
  name: string | null;
  /** It is the host's own: that of PID 1. */
  own: boolean;
  /** Whose it is, where a container's processes are in it. */
  container: Container | null;
};

/** One endpoint. Sockets of one endpoint (SO_REUSEPORT) are one listener with several inodes. */
export type Listener = {
  protocol: Protocol;
  /** RFC 5952 text; `::` for a dual-stack wildcard; interface for `packet` (`*` for all); path for `unix`. */
  address: string;
  /** `raw`: the IP protocol number. `packet`: the Ethernet protocol number. `unix`: `null`. */
  port: number | null;
  /** IPV6_V6ONLY of an IPv6 socket; `null` for all others, and where it could not be had. */
  v6only: boolean | null;
  /** SO_BINDTODEVICE of a wildcard: it takes what comes in by this interface alone. */
  device: string | null;
  netns: NetworkNamespace;
  holder: Holder;
  /** Every holder: a socket that was inherited or passed on has several. */
  processes: HolderProcess[];
  scope: Scope;
  /** Owner of the socket as the kernel's table has it; known even where the holder is not. */
  uid: number | null;
  inodes: number[];
  /** For UDP on an ephemeral port: gone at a second look (`true`), still there (`false`). Else `null`. */
  transient: boolean | null;
  /** `systemd`: the `.socket` unit and what it starts. */
  socketUnit: string | null;
  activates: string | null;
  /** `forwarder`, and `systemd` that starts one: the other end, where the command line tells. */
  forwardsTo: string | null;
  /** No socket of the host's own: the rule that sends what comes for this address and port elsewhere (`forwardsTo`). */
  translatedBy: string | null;
  /** Not listening for longer than this, RFC 3339: the start of the first process that has it, or of its socket unit. */
  listeningSince: string | null;
  /** `unix`, with a path. */
  permissions: UnixPermissions | null;
  /** `kernel`: which part of it, e.g. `vxlan (vxlan.calico)`. */
  kernelService: string | null;
  /** `unseen`: what stood in the way. */
  whyUnseen: string | null;
};

export type ServicesReport = {
  listeners: Listener[];
  /** Every network namespace that was looked into, and how to get there. */
  namespaces: (NetworkNamespace & { enter: Enter })[];
  init: InitSystem;
  /** Processes whose descriptors may not be read: what they listen on is not known. */
  unreadable: number[];
  couldNotLook: CouldNotLook[];
  /** Wall time of the collection. */
  milliseconds: number;
};
