import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { KernelListener } from './kernel-listeners.ts';

/** RPC programs that the kernel itself serves (include/uapi/linux/nfs.h, lockd). */
const ofKernel: Readonly<Record<string, string>> = { 100003: 'nfsd', 100021: 'lockd', 100227: 'nfsd (ACL)' };

/** Ports that the kernel has registered with rpcbind, lockd's too. @throws where rpcinfo cannot be run or says no */
export const registeredByKernel = async (): Promise<KernelListener[]> => {
  const { stdout } = await promisify(execFile)('rpcinfo', ['-p', '127.0.0.1'], { timeout: 3_000 });
  return parseRpcinfo(stdout);
};

/** `rpcinfo -p`: `program vers proto port service` a line. */
export const parseRpcinfo = (text: string): KernelListener[] =>
  [...text.matchAll(/^ *(\d+) +\d+ +(tcp|udp) +(\d+)/gm)].flatMap(([, program = '', protocol, port]) => {
    const service = ofKernel[program];
    return service === undefined
      ? []
      : [{ protocol: protocol === 'udp' ? 'udp' : 'tcp', port: Number(port), service, listed: false }];
  });
