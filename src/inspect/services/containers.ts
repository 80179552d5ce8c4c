import { readdirSync } from 'node:fs';
import { z } from 'zod';
import { textOf, type HostPaths } from '../host.ts';
import { guardedText } from './guarded-text.ts';

/** A container as its manager knows it. */
export type Container = {
  manager: 'docker' | 'podman' | 'containerd' | 'cri-o' | 'lxc' | 'systemd-nspawn';
  /** Of managers that number theirs. */
  id: string | null;
  /** As people call it; `null` where the manager's files do not tell or may not be read. */
  name: string | null;
};

const numbered: readonly [Container['manager'], RegExp][] = [
  ['podman', /\/libpod-([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m],
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

/** Tells containers by process; answers that take a file of a manager's are remembered for as long as it is kept. */
export const containerFinder = ({ proc, root }: HostPaths): ((pid: number) => Container | null) => {
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
  return (pid) => {
    const found = containerOfCgroup(textOf(`${proc}/${pid}/cgroup`) ?? '') ?? containerOfRoot(proc, pid);
    return found === null ? null : { ...found, name: found.name ?? nameOf(pid, found) };
  };
};

/** Container managers leave their name in /run/host (systemd.io/CONTAINER_INTERFACE), also where no machine is registered. */
const containerOfRoot = (proc: string, pid: number): Container | null => {
  const own = guardedText('/run/host/container-manager');
  const inside = guardedText(`${proc}/${pid}/root/run/host/container-manager`)?.trim();
  if (own !== null || inside !== 'systemd-nspawn') return null;
  const name = guardedText(`${proc}/${pid}/root/etc/hostname`)?.trim() ?? '';
  return { manager: inside, id: null, name: /^[\w.-]{1,64}$/.test(name) ? name : null };
};

const parsed = <T>(schema: z.ZodType<T>, text: string | null): T | null => {
  try {
    return text === null ? null : (schema.safeParse(JSON.parse(text)).data ?? null);
  } catch {
    return null;
  }
};

const dockerName = (root: string, id: string): string | null =>
  parsed(
    z.object({ Name: z.string() }),
    textOf(`${root}/var/lib/docker/containers/${id}/config.v2.json`),
  )?.Name.replace(/^\//, '') ?? null;

const podmanList = z.array(z.object({ id: z.string(), names: z.array(z.string()).optional() }));

/** Of root's containers, or of those of the user whose process it is. */
const podmanName = (proc: string, root: string, pid: number, id: string): string | null => {
  const kept = 'containers/storage/overlay-containers/containers.json';
  const owner = /^Uid:\t(\d+)/m.exec(textOf(`${proc}/${pid}/status`) ?? '')?.[1];
  const stores = [
    `${root}/var/lib/${kept}`,
    ...homesOf(root, owner).map((home) => `${root}${home}/.local/share/${kept}`),
  ];
  for (const store of stores) {
    const one = parsed(podmanList, guardedText(store))?.find((container) => container.id === id);
    if (one !== undefined) return one.names?.[0] ?? null;
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
