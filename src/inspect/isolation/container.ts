import { existsSync, readFileSync } from 'node:fs';
import { textOf, type HostPaths } from '../host.ts';
import { linkOf } from '../services/processes.ts';
import type { Container } from './report.ts';

/** Everything that tells a container, as read. `null`: not there, or not readable. */
export type ContainerSigns = {
  openVz: boolean;
  osrelease: string;
  /** /run/host/container-manager, which container managers write for systemd. */
  manager: string | null;
  /** /run/systemd/container, which systemd as PID 1 writes. */
  systemd: string | null;
  /** `container=` in the environment of PID 1; `undefined` if that may not be read. */
  environment: string | null | undefined;
  podmanFile: boolean;
  dockerFile: boolean;
  cgroup: string;
  /** Targets of /proc/self/ns/{pid,user,uts,ipc,cgroup}, as far as they could be read. */
  namespaces: Record<string, string>;
};

/** Inodes of the kernel's first namespaces, the same on every machine: include/linux/proc_ns.h. */
const firstNamespaces: Readonly<Record<string, string>> = {
  ipc: 'ipc:[4026531839]',
  uts: 'uts:[4026531838]',
  user: 'user:[4026531837]',
  pid: 'pid:[4026531836]',
  cgroup: 'cgroup:[4026531835]',
};

export const readContainerSigns = ({ proc, root }: HostPaths): ContainerSigns => ({
  openVz: existsSync(`${proc}/vz`) && !existsSync(`${proc}/bc`),
  osrelease: textOf(`${proc}/sys/kernel/osrelease`) ?? '',
  manager: textOf(`${root}/run/host/container-manager`)?.trim() ?? null,
  systemd: textOf(`${root}/run/systemd/container`)?.trim() ?? null,
  environment: environmentContainer(`${proc}/1/environ`),
  podmanFile: existsSync(`${root}/run/.containerenv`),
  dockerFile: existsSync(`${root}/.dockerenv`),
  cgroup: textOf(`${proc}/self/cgroup`) ?? '',
  namespaces: Object.fromEntries(
    Object.keys(firstNamespaces).flatMap((name) => {
      const target = linkOf(`${proc}/self/ns/${name}`);
      return target === null ? [] : [[name, target]];
    }),
  ),
});

const environmentContainer = (path: string): string | null | undefined => {
  try {
    const entries = readFileSync(path, 'utf8').split('\0');
    return entries.find((entry) => entry.startsWith('container='))?.slice('container='.length) ?? null;
  } catch {
    return undefined;
  }
};

/**
 * Whether this is a container, and of which kind: systemd's order (src/basic/virt.c `detect_container`), then checked
 * against the namespaces. A marker file alone may have come with an image that was unpacked onto a machine, as micro
 * virtual machines do; a process in all the kernel's first namespaces is not in a container.
 */
export const judgeContainer = (signs: ContainerSigns): Container => {
  const names = Object.entries(signs.namespaces);
  const foreign = names.filter(([name, target]) => target !== firstNamespaces[name]).map(([name]) => name);
  const allFirst = names.length === Object.keys(firstNamespaces).length && foreign.length === 0;

  const marker = firstMarker(signs);
  if (names.length === 0 && (marker === null || marker.fileOnly)) {
    return {
      inside: null,
      kind: null,
      confidence: 'guess',
      evidence: [
        ...(marker === null
          ? []
          : [`${marker.seen}, but an image that was unpacked onto a machine has it too`]),
        'the namespaces of this process cannot be read: /proc/self/ns',
      ],
    };
  }
  if (marker !== null && !(marker.fileOnly && allFirst)) {
    return {
      inside: true,
      kind: marker.kind,
      confidence: foreign.length > 0 || !marker.fileOnly ? 'certain' : 'likely',
      evidence: [marker.seen, ...(foreign.length > 0 ? [`own namespaces: ${foreign.join(', ')}`] : [])],
    };
  }
  if (marker !== null) {
    return {
      inside: false,
      kind: null,
      confidence: 'likely',
      evidence: [
        `${marker.seen}, but that is all: this process is in the kernel's first ${Object.keys(firstNamespaces).join(', ')} namespaces`,
      ],
    };
  }
  if (foreign.includes('pid')) {
    return {
      inside: true,
      kind: 'other',
      confidence: 'likely',
      evidence: [
        `no container manager left a sign, but these namespaces are not the kernel's first: ${foreign.join(', ')}`,
      ],
    };
  }
  return {
    inside: false,
    kind: null,
    confidence: allFirst && signs.environment !== undefined ? 'certain' : 'likely',
    evidence: ['no container manager left a sign'],
  };
};

type Marker = { kind: string; seen: string; fileOnly: boolean };

const sure = (kind: string, seen: string): Marker => ({ kind: kind || 'other', seen, fileOnly: false });

const firstMarker = (signs: ContainerSigns): Marker | null => {
  if (signs.openVz) return sure('openvz', '/proc/vz exists, /proc/bc does not');
  if (/microsoft|wsl/i.test(signs.osrelease)) return sure('wsl', `kernel release ${signs.osrelease.trim()}`);
  if (signs.manager !== null) return sure(signs.manager, `/run/host/container-manager: ${signs.manager}`);
  if (signs.systemd !== null) return sure(signs.systemd, `/run/systemd/container: ${signs.systemd}`);
  if (typeof signs.environment === 'string') {
    return sure(signs.environment, `environment of PID 1: container=${signs.environment}`);
  }
  if (signs.podmanFile) return { kind: 'podman', seen: '/run/.containerenv exists', fileOnly: true };
  if (signs.dockerFile) return { kind: 'docker', seen: '/.dockerenv exists', fileOnly: true };
  const kind = /\/(docker|kubepods|lxc|libpod|machine\.slice)[-/.]/.exec(signs.cgroup)?.[1];
  return kind === undefined
    ? null
    : sure(kind === 'libpod' ? 'podman' : kind, `cgroup ${signs.cgroup.trim()}`);
};
