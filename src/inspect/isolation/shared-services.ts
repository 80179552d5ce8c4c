import type { CouldNotLook } from '#base/looked';
import { textOf, type HostPaths } from '../host.ts';
import { executableOf, linkOf, statusField, unitOf, userNames } from '../services/processes.ts';
import type { ServicesReport } from '../services/index.ts';
import { remedyFor } from '../services/unseen.ts';
import { capabilityNames } from './capabilities.ts';
import type { ListensOn, SharedService } from './report.ts';

type Seen = Omit<SharedService, 'name' | 'pids' | 'users'> & { pid: number; user: string };

const namespaces = ['net', 'mnt', 'pid', 'user'] as const;

/**
 * The services in this instance of the system, all under one kernel: what runs in a systemd service (or a container's
 * scope), what listens, and, for hosts that PID 1 is not systemd, daemons without terminal whose parent is PID 1.
 * Processes of one unit, else of one executable and user, are one service.
 */
export const findSharedServices = (
  { proc, root }: HostPaths,
  pids: readonly number[],
  { listeners, unreadable }: ServicesReport,
): { services: SharedService[]; couldNotLook: CouldNotLook[] } => {
  const names = userNames(textOf(`${root}/etc/passwd`) ?? '');
  const byPid = new Map<number, ListensOn[]>();
  for (const { protocol, address, port, scope, processes } of listeners) {
    if (protocol === 'unix') continue;
    for (const { pid } of processes) {
      byPid.set(pid, [...(byPid.get(pid) ?? []), { protocol, address, port, scope }]);
    }
  }

  const reference = linkOf(`${proc}/1/ns/net`) === null ? 'self' : '1';
  const first = Object.fromEntries(
    namespaces.map((name) => [name, linkOf(`${proc}/${reference}/ns/${name}`)]),
  );
  const dark = new Set(unreadable);
  const seen = pids.flatMap((pid): Seen[] => {
    const status = textOf(`${proc}/${pid}/status`);
    if (status === null || statusField(status, 'VmSize') === null) return []; // gone, a zombie, or a kernel thread
    const listens = byPid.get(pid) ?? (dark.has(pid) ? null : []);
    const unit = unitOf(textOf(`${proc}/${pid}/cgroup`) ?? '');
    const isUnit =
      unit !== null && /\.service$|^(?:docker|libpod|cri-containerd|crio|machine)-.*\.scope$/.test(unit);
    if ((listens ?? []).length === 0 && !isUnit && !isDaemon(proc, pid, status)) return [];
    const uid = Number(statusField(status, 'Uid')?.split('\t')[1]);
    const own = namespaces.map((name) => linkOf(`${proc}/${pid}/ns/${name}`));
    const directory = linkOf(`${proc}/${pid}/root`);
    return [
      {
        pid,
        unit: isUnit ? unit : null,
        exe: executableOf(proc, pid)?.path ?? null,
        user: names.get(uid) ?? String(uid),
        root: uid === 0,
        capabilities: capabilityNames(statusField(status, 'CapEff') ?? '0'),
        noNewPrivileges: statusField(status, 'NoNewPrivs') === '1',
        seccomp: seccompModes[Number(statusField(status, 'Seccomp') ?? 0)] ?? 'off',
        ownNamespaces: own.includes(null) ? null : namespaces.filter((name, i) => own[i] !== first[name]),
        chroot: directory === null || directory === '/' ? null : directory,
        listens,
      },
    ];
  });

  const groups = Map.groupBy(
    seen,
    (one) => one.unit ?? `${one.exe ?? commandName(proc, one.pid)} ${one.user}`,
  );
  const services = [...groups.values()].map((group) => merge(proc, group));
  const shielded = seen.filter(({ ownNamespaces, exe }) => ownNamespaces === null || exe === null);
  const couldNotLook: CouldNotLook[] =
    shielded.length === 0
      ? []
      : [
          {
            what: `executable and namespaces of ${shielded.length === 1 ? 'one process' : `${shielded.length} processes`} (${shielded
              .slice(0, 3)
              .map(({ pid }) => `${pid} ${commandName(proc, pid)}`)
              .join(', ')}${shielded.length > 3 ? ', …' : ''})`,
            why: `permission denied: ${proc}/<pid>/exe and ${proc}/<pid>/ns`,
            remedy: remedyFor(process.geteuid?.() ?? -1),
          },
        ];
  return { services: services.sort((a, b) => a.name.localeCompare(b.name, 'en')), couldNotLook };
};

const seccompModes = ['off', 'strict', 'filter'] as const;

const inits = /^(?:systemd|init|tini|dumb-init|docker-init|catatonit)$/;

/** No terminal, and started by PID 1 or handed over to it (daemon(7)). In a container PID 1 may itself be a service. */
const isDaemon = (proc: string, pid: number, status: string): boolean => {
  if (pid === 1 ? inits.test(commandName(proc, pid)) : statusField(status, 'PPid') !== '1') return false;
  const stat = textOf(`${proc}/${pid}/stat`) ?? '';
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4] === '0';
};

const commandName = (proc: string, pid: number): string => (textOf(`${proc}/${pid}/comm`) ?? '?').trim();

const merge = (proc: string, group: readonly Seen[]): SharedService => {
  const [lead] = group;
  const own = group.map(({ ownNamespaces }) => ownNamespaces);
  return {
    name: lead?.unit ?? lead?.exe ?? (lead === undefined ? '?' : commandName(proc, lead.pid)),
    unit: lead?.unit ?? null,
    pids: group.map(({ pid }) => pid),
    exe: lead?.exe ?? null,
    users: [...new Set(group.map(({ user }) => user))],
    root: group.some(({ root }) => root),
    capabilities: [...new Set(group.flatMap(({ capabilities }) => capabilities))],
    noNewPrivileges: group.every(({ noNewPrivileges }) => noNewPrivileges),
    seccomp: seccompModes.find((mode) => group.some(({ seccomp }) => seccomp === mode)) ?? 'off',
    ownNamespaces: own.every((one) => one !== null)
      ? namespaces.filter((name) => own.every((one) => one.includes(name)))
      : null,
    chroot: group.every(({ chroot }) => chroot !== null) ? (lead?.chroot ?? null) : null,
    listens: mergeListens(group),
  };
};

const mergeListens = (group: readonly Seen[]): ListensOn[] | null => {
  const all = group.flatMap(({ listens }) => listens ?? []);
  if (all.length === 0 && group.some(({ listens }) => listens === null)) return null;
  return [...new Map(all.map((one) => [`${one.protocol} ${one.address} ${one.port}`, one])).values()];
};
