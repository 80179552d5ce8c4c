import { statSync } from 'node:fs';
import { textOf, type HostPaths } from '../host.ts';

/**
 * Whether this process is in a chroot: its root is not that of PID 1. Where PID 1's may not be read, a root that is no
 * mount point still gives a chroot away; the opposite cannot be told (`null`).
 */
export const inChroot = ({ proc, root }: HostPaths): boolean | null => {
  const mounts = textOf(`${proc}/self/mountinfo`);
  if (mounts !== null && !mounts.split('\n').some((line) => line.split(' ')[4] === '/')) return true;
  try {
    const first = statSync(`${proc}/1/root/`);
    const own = statSync(`${root}/`);
    return first.dev !== own.dev || first.ino !== own.ino;
  } catch {
    return null;
  }
};

/** Whether user ids are mapped: the first user namespace maps all 2³² − 1 ids onto themselves (user_namespaces(7)). */
export const inUserNamespace = ({ proc }: HostPaths): boolean | null => {
  const map = textOf(`${proc}/self/uid_map`);
  return map === null ? null : !/^\s*0\s+0\s+4294967295\s*$/.test(map);
};
