import { statfs } from 'node:fs/promises';

/** Kept free of a nearly full file system for what it writes itself (extents, directory blocks). */
const slackBytes = 64 * 1024;

const KiB = 1024;
const MiB = 1024 * KiB;

export const totalBytes = async (dir: string): Promise<number> => {
  const { blocks, bsize } = await statfs(dir);
  return blocks * bsize;
};

/** Bytes that this process can write now, as far as the file system says. A quota it does not tell of. */
export const freeBytes = async (dir: string): Promise<number> => {
  const { bsize, bfree, bavail } = await statfs(dir);
  return (process.geteuid?.() === 0 ? bfree : bavail) * bsize - slackBytes;
};

/** How large a file may grow. It is removed as a whole: on a small file system several of them must have room. */
export const fileFor = (total: number): number => Math.min(64 * MiB, Math.max(MiB, total / 16));

/** The room of the reserve: one commit of what a busy second brings, or a sixteenth of a small file system. */
export const roomFor = (total: number): number =>
  Math.min(8 * MiB, Math.max(256 * KiB, Math.floor(total / 16 / 4096) * 4096));
