import { readFileSync, readlinkSync } from 'node:fs';

/** Numbers of a process's children as seen from here; none where it is gone. */
export const childrenOf = (pid: number): number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

/** The name of its program (comm), or `null` where it is gone. */
export const programOf = (pid: number): string | null => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return null;
  }
};

/** Whether two processes see the same process numbers. */
export const sharePidNamespace = (one: number, other: number): boolean =>
  pidNamespace(one) === pidNamespace(other);

const pidNamespace = (pid: number): string | null => {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
};
