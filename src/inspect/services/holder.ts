import type { CouldNotLook } from '#base/looked';
import type { HostPaths } from '../host.ts';
import type { SocketHolders } from './descriptors.ts';
import type { Endpoint } from './endpoints.ts';
import { forwarderOf } from './forwarders.ts';
import { kernelListeners, kernelServiceOf, type KernelListener } from './kernel-listeners.ts';
import { describeProcesses, type DescribedProcess } from './holder-process.ts';
import type { Memory } from './memory.ts';
import type { PackageFinder } from './packages.ts';
import type { Holder, HolderProcess, UnixPermissions } from './report.ts';
import { registeredByKernel } from './rpc.ts';
import { isSystemd, socketsOfManagers, type Managers } from './systemd-managers.ts';
import { socketUnitOf } from './systemd-sockets.ts';
import { permissionFinder } from './unix-permissions.ts';
import { linkOf } from './processes.ts';

/** The part of a listener that says who has it. */
export type Held = {
  holder: Holder;
  processes: HolderProcess[];
  socketUnit: string | null;
  activates: string | null;
  forwardsTo: string | null;
  kernelService: string | null;
  whyUnseen: string | null;
  listeningSince: string | null;
  permissions: UnixPermissions | null;
};

/** Says of each endpoint who has it; processes, packages and socket units are looked up once for all of them. */
export const describeHolders = async (
  paths: HostPaths,
  endpoints: readonly Endpoint[],
  holders: SocketHolders & { hidden: string | null },
  memory: Memory,
  packages: PackageFinder,
): Promise<{ held: Map<Endpoint, Held>; couldNotLook: CouldNotLook[] }> => {
  const couldNotLook: CouldNotLook[] = [];
  const pidsOf = endpoints.map(({ inodes }) => pidsOfInodes(inodes, holders.byInode));
  const pids = new Set(pidsOf.flat());
  const processes = describeProcesses(paths, [...pids], packages, memory);
  if (pids.size > 0 && !packages.hasDatabase(paths.root)) {
    couldNotLook.push({
      what: 'packages of executables',
      why: `there is no dpkg database under ${paths.root}/var/lib/dpkg`,
      remedy: 'only Debian and Ubuntu are understood so far',
    });
  }

  const managers = await socketsOfManagers(paths.proc, [...processes.values()]);
  couldNotLook.push(...managers.couldNotLook);
  const kernel = [...kernelListeners(paths), ...(await registered(endpoints, pidsOf))];
  const permissionsOf = permissionFinder();
  const unseen = whyUnseen(paths.proc, holders);
  const held = new Map<Endpoint, Held>();
  for (const [i, endpoint] of endpoints.entries()) {
    const of = (pidsOf[i] ?? []).flatMap((pid) => processes.get(pid) ?? []);
    const judged = judge(endpoint, of, managers.of, kernel, unseen);
    const { row } = endpoint;
    const [first] = of;
    const permissions =
      row.protocol === 'unix' && first !== undefined ? permissionsOf(first.root, row.address) : null;
    held.set(endpoint, { ...judged, permissions });
  }
  return { held, couldNotLook };
};

/** lockd has another port after each start, and only rpcbind knows it. */
const registered = async (
  endpoints: readonly Endpoint[],
  pidsOf: readonly (readonly number[])[],
): Promise<KernelListener[]> => {
  const own = endpoints.filter(({ row, namespace }) => namespace.own && /^(?:tcp|udp)$/.test(row.protocol));
  const unheld = new Set(endpoints.filter((_, i) => pidsOf[i]?.length === 0));
  if (!own.some(({ row }) => row.port === 111) || !own.some((one) => unheld.has(one))) return [];
  // Without rpcinfo these stay unseen, and say so.
  return registeredByKernel().catch(() => []);
};

/** Mostly one socket with one holder, and there may be thousands. */
const pidsOfInodes = (
  inodes: readonly number[],
  byInode: ReadonlyMap<number, readonly number[]>,
): readonly number[] => {
  const [only, ...more] = inodes;
  if (only !== undefined && more.length === 0) return byInode.get(only) ?? [];
  return [...new Set(inodes.flatMap((inode) => byInode.get(inode) ?? []))].sort((a, b) => a - b);
};

const nothing = {
  socketUnit: null,
  activates: null,
  forwardsTo: null,
  kernelService: null,
  whyUnseen: null,
  listeningSince: null,
  permissions: null,
};

const judge = (
  { row, namespace }: Endpoint,
  of: readonly DescribedProcess[],
  managerOf: Managers['of'],
  kernel: ReturnType<typeof kernelListeners>,
  unseen: { why: string; everythingRead: boolean },
): Held => {
  const processes = of.map(({ shown }) => shown);
  if (of.length === 0) {
    const known = namespace.own
      ? kernelServiceOf(
          kernel.filter(({ listed }) => listed || unseen.everythingRead),
          row.protocol,
          row.port,
        )
      : null;
    if (known !== null) return { ...nothing, holder: 'kernel', processes, kernelService: known };
    return { ...nothing, holder: 'unseen', processes, whyUnseen: unseen.why };
  }
  const listeningSince = processes.reduce(earlier, null);
  const systemd = of.find(isSystemd);
  if (systemd !== undefined) {
    const manager = managerOf(systemd);
    const unit = socketUnitOf(manager?.sockets ?? [], row.address, row.port);
    const command = manager?.commands.get(unit?.activates ?? '') ?? [];
    const forwarder = forwarderAmong(of) ?? forwarderOf(command[0] ?? null, command);
    return {
      ...nothing,
      holder: 'systemd',
      listeningSince: (unit === null ? null : manager?.since.get(unit.unit)) ?? listeningSince,
      processes,
      socketUnit: unit?.unit ?? null,
      activates: unit?.activates ?? null,
      forwardsTo: forwarder?.to ?? null,
    };
  }
  const forwarder = forwarderAmong(of);
  if (forwarder !== null)
    return { ...nothing, holder: 'forwarder', processes, forwardsTo: forwarder.to, listeningSince };
  return { ...nothing, holder: 'process', processes, listeningSince };
};

const forwarderAmong = (of: readonly DescribedProcess[]): ReturnType<typeof forwarderOf> =>
  of.reduce<ReturnType<typeof forwarderOf>>(
    (found, { shown, argv }) => found ?? forwarderOf(shown.exe, argv),
    null,
  );

const earlier = (since: string | null, { startedAt }: HolderProcess): string | null =>
  since === null || (startedAt !== null && startedAt < since) ? startedAt : since;

/** Inode of the kernel's first PID namespace: include/linux/proc_ns.h PROC_PID_INIT_INO. */
const firstPidNamespace = 'pid:[4026531836]';

const whyUnseen = (
  proc: string,
  { hidden, unreadable: { length: unreadable } }: { hidden: string | null; unreadable: readonly number[] },
): { why: string; everythingRead: boolean } => {
  if (hidden !== null) {
    return { why: `it may belong to a process that is hidden: ${hidden}`, everythingRead: false };
  }
  if (unreadable > 0) {
    return {
      why: `it may belong to ${unreadable === 1 ? 'the one process' : `one of the ${unreadable} processes`} whose descriptors could not be read`,
      everythingRead: false,
    };
  }
  if (linkOf(`${proc}/self/ns/pid`) !== firstPidNamespace) {
    return { why: 'no process of this PID namespace has it open', everythingRead: false };
  }
  return {
    why: 'no process has it open: the kernel serves it, or it is being passed on',
    everythingRead: true,
  };
};
