import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * A small regular file in a directory into which others may put things too. Links are not followed, and nothing that is
 * no file is waited for.
 * @param most bytes
 * @returns `null` for anything else, and for one that is longer
 * @throws system errors
 */
export const readSmallFile = async (path: string, most: number): Promise<Buffer | null> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > most) return null;
    const bytes = Buffer.alloc(most + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytesRead > most ? null : bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};
