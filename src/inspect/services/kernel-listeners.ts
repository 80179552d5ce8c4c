import { readdirSync } from 'node:fs';
import { textOf, type HostPaths } from '../host.ts';
import type { Protocol } from './report.ts';

/** A port on which the kernel itself serves. No process has such a socket open. */
export type KernelListener = {
  protocol: Protocol;
  port: number | 'any';
  service: string;
  /** The kernel itself lists the port. Else it is the usual one, which a process that was not seen may have as well. */
  listed: boolean;
};

/**
 * What the kernel says that it serves in the host's own namespace: nfsd's port list, lockd's fixed ports, and tunnels
 * among the interfaces. A WireGuard interface does not tell its port to anybody without netlink, hence `any`.
 */
export const kernelListeners = ({ proc, sys }: HostPaths): KernelListener[] => [
  ...parsePortList(textOf(`${proc}/fs/nfsd/portlist`) ?? ''),
  ...lockPorts(proc),
  ...interfaceListeners(sys),
  ...moduleListeners(sys),
];

/** /proc/fs/nfsd/portlist: `tcp 2049` a line. */
export const parsePortList = (text: string): KernelListener[] =>
  [...text.matchAll(/^(tcp|udp)\S* (\d+)$/gm)].map(([, protocol, port]) => ({
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    port: Number(port),
    service: 'nfsd',
    listed: true,
  }));

const lockPorts = (proc: string): KernelListener[] =>
  (['tcp', 'udp'] as const).flatMap((protocol) => {
    const port = Number(textOf(`${proc}/sys/fs/nfs/nlm_${protocol}port`) ?? '0');
    return port > 0 ? [{ protocol, port, service: 'lockd', listed: false }] : [];
  });

const interfaceListeners = (sys: string): KernelListener[] => {
  let names: string[];
  try {
    names = readdirSync(`${sys}/class/net`);
  } catch {
    return [];
  }
  return names.flatMap((name): KernelListener[] => {
    const kind = /^DEVTYPE=(.*)$/m.exec(textOf(`${sys}/class/net/${name}/uevent`) ?? '')?.[1];
    if (kind === 'wireguard')
      return [{ protocol: 'udp', port: 'any', service: `wireguard (${name})`, listed: false }];
    if (kind === 'vxlan') {
      return [4789, 8472].map((port) => ({
        protocol: 'udp',
        port,
        service: `vxlan (${name})`,
        listed: false,
      }));
    }
    if (kind === 'geneve')
      return [{ protocol: 'udp', port: 6081, service: `geneve (${name})`, listed: false }];
    return [];
  });
};

const moduleListeners = (sys: string): KernelListener[] => [
  ...(exists(`${sys}/class/ksmbd-control`)
    ? [{ protocol: 'tcp' as const, port: 445, service: 'ksmbd', listed: false }]
    : []),
  ...(exists(`${sys}/kernel/config/target/iscsi`)
    ? [{ protocol: 'tcp' as const, port: 3260, service: 'iSCSI target', listed: false }]
    : []),
];

const exists = (directory: string): boolean => {
  try {
    readdirSync(directory);
    return true;
  } catch {
    return false;
  }
};

/** The kernel's part that serves the endpoint, or `null`: a listed port first, then what may use any port. */
export const kernelServiceOf = (
  known: readonly KernelListener[],
  protocol: Protocol,
  port: number | null,
): string | null =>
  (
    known.find((one) => one.protocol === protocol && one.port === port) ??
    known.find((one) => one.protocol === protocol && one.port === 'any')
  )?.service ?? null;
