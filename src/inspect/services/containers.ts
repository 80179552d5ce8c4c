import { readdirSync, statSync } from 'node:fs';
import { textOf, type HostPaths } from '../host.ts';
import { memberOf } from '../json.ts';
import { guardedText } from './guarded-text.ts';
import { linkOf, unitOf } from './processes.ts';

/** A container as its manager knows it. */
export type Container = {
  manager: 'docker' | 'podman' | 'containerd' | 'cri-o' | 'lxc' | 'systemd-nspawn';
  /** Of managers that number theirs. */
  id: string | null;
  /** As people call it; `null` where the manager's files do not tell or may not be read. */
  name: string | null;
};

const numbered: readonly [Container['manager'], RegExp][] = [
  ['podman', /\/libpod-(?:payload-)?([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m],
  ['cri-o', /\/crio-([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m],
  ['containerd', /\/cri-containerd-([0-9a-f]{64})\.scope(?:\/|$)/m],
  ['docker', /\/docker-([0-9a-f]{64})\.scope(?:\/|$)/m],
  ['docker', /\/docker\/([0-9a-f]{64})(?:\/|$)/m],
];
const named: readonly [Container['manager'], RegExp][] = [
  ['lxc', /\/lxc\.payload\.([^/\n]+)/],
  ['lxc', /\/lxc\/([^/\n]+)/],
  ['systemd-nspawn', /\/systemd-nspawn@([^/\n]+)\.service/],
  ['systemd-nspawn', /\/machine-([^/\n]+)\.scope/],
];

/** The container that the text of /proc/<pid>/cgroup (cgroups(7)) tells of, or `null`. */
export const containerOfCgroup = (cgroup: string): Container | null => {
  for (const [manager, pattern] of numbered) {
    const id = pattern.exec(cgroup)?.[1];
    if (id !== undefined) return { manager, id, name: null };
  }
  for (const [manager, pattern] of named) {
    const name = pattern.exec(cgroup)?.[1];
    if (name !== undefined) return { manager, id: null, name: unescaped(name) };
  }
  return null;
};

/** systemd.unit(5): `web\x2d1` → `web-1`. */
const unescaped = (name: string): string =>
  name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** @param cgroup the text of /proc/<pid>/cgroup, where it has been read */
export type ContainerFinder = (pid: number, cgroup?: string) => Container | null;

/** Tells containers by process; answers that take a file of a manager's are remembered for as long as it is kept. */
export const containerFinder = ({ proc, root }: HostPaths): ContainerFinder => {
  const names = new Map<string, string | null>();
  const nameOf = (pid: number, { manager, id }: Container): string | null => {
    if (id === null) return null;
    const known = names.get(id);
    if (known !== undefined) return known;
    const name =
      manager === 'docker'
        ? dockerName(root, id)
        : manager === 'podman'
          ? podmanName(proc, root, pid, id)
          : null;
    names.set(id, name);
    return name;
  };
  const ownRoot = rootId('/');
  const isElsewhere = (pid: number, kind: 'pid' | 'mnt'): boolean => {
    const link = linkOf(`${proc}/${pid}/ns/${kind}`);
    return link !== null && link !== linkOf(`${proc}/self/ns/${kind}`);
  };
  /** A root of its own is also what a daemon in a chroot has, which may be able to write there; mounts, many a unit has. */
  const mayBeContainer = (pid: number, cgroup: string): boolean =>
    rootId(`${proc}/${pid}/root/`) !== ownRoot &&
    (isElsewhere(pid, 'pid') || (isElsewhere(pid, 'mnt') && unitOf(cgroup)?.endsWith('.service') !== true));
  return (pid, cgroup = textOf(`${proc}/${pid}/cgroup`) ?? '') => {
    const found =
      containerOfCgroup(cgroup) ??
      (mayBeContainer(pid, cgroup) ? containerOfRoot(`${proc}/${pid}/root/`) : null);
    return found === null ? null : { ...found, name: found.name ?? nameOf(pid, found) };
  };
};

/** Tells one root directory from another; `null` where it may not be seen. */
const rootId = (root: string): string | null => {
  try {
    const { dev, ino } = statSync(root);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
};

/**
 * What container managers leave in the root of a container, for where the control group does not tell: a machine that is
 * not registered, `podman run --cgroups=disabled`, a container that another one runs.
 * systemd.io/CONTAINER_INTERFACE, podman-run(1), moby daemon/initlayer.
 */
const containerOfRoot = (root: string): Container | null => {
  if (guardedText(`${root}run/host/container-manager`)?.trim() === 'systemd-nspawn') {
    const name = guardedText(`${root}etc/hostname`)?.trim() ?? '';
    return { manager: 'systemd-nspawn', id: null, name: /^[\w.-]{1,64}$/.test(name) ? name : null };
  }
  if (guardedText(`${root}run/.containerenv`) !== null) return { manager: 'podman', id: null, name: null };
  if (guardedText(`${root}.dockerenv`) !== null) return { manager: 'docker', id: null, name: null };
  return null;
};

const parsed = (text: string | null): unknown => {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
};

/** A property that holds a string, or a list that begins with one. */
const stringOf = (value: unknown, name: string): string | null => {
  const property = memberOf(value, name);
  const first: unknown = Array.isArray(property) ? property[0] : property;
  return typeof first === 'string' ? first : null;
};

const dockerName = (root: string, id: string): string | null =>
  stringOf(parsed(textOf(`${root}/var/lib/docker/containers/${id}/config.v2.json`)), 'Name')?.replace(
    /^\//,
    '',
  ) ?? null;

/** Of root's containers, or of those of the user whose process it is. */
const podmanName = (proc: string, root: string, pid: number, id: string): string | null => {
  const kept = 'containers/storage/overlay-containers/containers.json';
  const owner = /^Uid:\t(\d+)/m.exec(textOf(`${proc}/${pid}/status`) ?? '')?.[1];
  const stores = [
    `${root}/var/lib/${kept}`,
    ...homesOf(root, owner).map((home) => `${root}${home}/.local/share/${kept}`),
  ];
  for (const store of stores) {
    const list = parsed(guardedText(store));
    const one: unknown = Array.isArray(list)
      ? list.find((container) => stringOf(container, 'id') === id)
      : null;
    if (one !== undefined && one !== null) return stringOf(one, 'names');
  }
  return null;
};

/** A rootless container's processes have ids out of its user's range, so that any home may be the one. */
const homesOf = (root: string, owner: string | undefined): string[] => {
  const own = (textOf(`${root}/etc/passwd`) ?? '')
    .split('\n')
    .flatMap((line) => (line.split(':')[2] === owner ? (line.split(':')[5] ?? []) : []));
  try {
    return [...own, ...readdirSync(`${root}/home`).map((name) => `/home/${name}`)];
  } catch {
    return own;
  }
};
