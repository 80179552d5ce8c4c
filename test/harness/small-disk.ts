import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { StateDirectory } from '#base/state';
import { holdfast } from './up.ts';

/**
 * A file system of a few MiB, in a mount namespace of its own, on which parts of a state directory lie. Whoever is to
 * see it is started inside; nothing of it shows elsewhere, and it is gone when the last process inside is.
 */
export type SmallDisk = {
  /** To be given to `startUp`. */
  program: readonly string[];
  /** The same path as seen from here. */
  inside(path: string): string;
  /** Takes all of the space that is left. */
  fill(): void;
  /** Gives back what `fill` took, and makes the file system this large. */
  free(mebibytes: number): void;
  remove(): Promise<void>;
};

/** Why there can be none here, or `null`. */
export const noSmallDisk = (): string | null => {
  if (process.getuid?.() !== 0) return 'mounting a small file system needs root';
  const { status } = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return status === 0 ? null : 'this machine does not let root mount in a namespace of its own';
};

/** @param parts names of directories of the state directory that share the small file system */
export const smallDisk = async (
  state: StateDirectory,
  parts: readonly ('intake' | 'vault')[],
  mebibytes: number,
): Promise<SmallDisk> => {
  const mountPoint = join(state.root, 'small');
  const script = [
    'set -e',
    `mkdir -p "$1" && mount -t tmpfs -o size=${mebibytes}m,mode=755 tmpfs "$1"`,
    ...parts.map(
      (part) => `mkdir -p "$1/${part}" "$1/../${part}" && mount --bind "$1/${part}" "$1/../${part}"`,
    ),
    'echo mounted',
    'exec cat',
  ].join('\n');
  const holder: ChildProcess = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', mountPoint],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const exited = once(holder, 'exit');
  if (holder.stdout === null) throw new Error('no output of the holder');
  await Promise.race([once(holder.stdout, 'data'), exited]);
  if (holder.exitCode !== null) throw new Error(`the mounts failed with status ${holder.exitCode}`);
  const enter = ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`, '--'];
  const inside = (path: string): string => `/proc/${holder.pid}/root${path}`;
  const ballast = inside(join(mountPoint, 'ballast'));
  return {
    program: [...enter, holdfast],
    inside,
    fill() {
      const file = openSync(ballast, 'a');
      try {
        for (let size = 1024 * 1024; size >= 512;) {
          try {
            writeSync(file, Buffer.alloc(size));
          } catch {
            size /= 2;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free(now) {
      rmSync(ballast, { force: true });
      const [program = '', ...args] = enter;
      execFileSync(program, [...args, 'mount', '-o', `remount,size=${now}m`, mountPoint]);
    },
    async remove() {
      holder.stdin?.end();
      await exited;
    },
  };
};
