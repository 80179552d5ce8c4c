import type { CouldNotLook } from '#base/looked';
import type { InitSystem } from '../host.ts';
import type { Scope, Protocol } from '../services/index.ts';

/** `certain`: it says so itself. `likely`: everything points there. `guess`: a sign that other things can leave too. */
export type Confidence = 'certain' | 'likely' | 'guess';

export type Machine = {
  kind: 'bare metal' | 'virtual machine' | 'unknown';
  /** As systemd-detect-virt names it (`kvm`, `vmware`, …); `null` if unknown or on bare metal. */
  hypervisor: string | null;
  /** The program that runs the virtual machine, where that is known too: `firecracker`, `qemu`, … */
  monitor: string | null;
  /** 1: the hypervisor is the system on the metal; 2: it is a program on top of one; `null`: not known. */
  type: 1 | 2 | null;
  typeConfidence: Confidence | null;
  confidence: Confidence;
  /** `dom0` where this is Xen's control domain; else how a Xen guest runs: `PV`, `HVM`, `PVH`. */
  xen: string | null;
  /** What was seen, and where. */
  evidence: string[];
};

export type Container = {
  inside: boolean | null;
  /** `docker`, `podman`, `lxc`, `systemd-nspawn`, …; `other` if it is one of unknown kind; `null` if it is none. */
  kind: string | null;
  confidence: Confidence;
  evidence: string[];
};

export type ListensOn = { protocol: Protocol; address: string; port: number | null; scope: Scope };

/** A service (systemd unit, or processes of one executable and user) that runs in this instance of the system. */
export type SharedService = {
  /** The unit, else the executable's path. */
  name: string;
  unit: string | null;
  pids: number[];
  exe: string | null;
  users: string[];
  /** One of its processes has effective user id 0. */
  root: boolean;
  /** Union of the effective capabilities (capabilities(7)) of its processes, e.g. `CAP_NET_ADMIN`. */
  capabilities: string[];
  /** All its processes have no_new_privs. */
  noNewPrivileges: boolean;
  /** The weakest among its processes. */
  seccomp: 'off' | 'strict' | 'filter';
  /** Namespaces that differ from PID 1's; `null` if they may not be read. */
  ownNamespaces: ('net' | 'mnt' | 'pid' | 'user')[] | null;
  /** Root directory, where it is not that of the system. */
  chroot: string | null;
  /** What it listens on, unix sockets aside; `null` if nothing was found and its descriptors could not all be read. */
  listens: ListensOn[] | null;
};

export type IsolationReport = {
  machine: Machine;
  container: Container;
  /** `null`: could not be told. */
  chroot: boolean | null;
  /** In a user namespace other than the kernel's first. */
  userNamespace: boolean | null;
  services: SharedService[];
  /** Whether `services` are all that run here: `some` where processes are hidden, `none` where no process was seen. */
  servicesSeen: 'all' | 'some' | 'none';
  init: InitSystem;
  couldNotLook: CouldNotLook[];
  /** Wall time of the collection. */
  milliseconds: number;
};
