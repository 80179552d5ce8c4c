import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { maxRequest } from './request.ts';

/**
 * A small regular file. Links are not followed, and nothing that is no file is waited for.
 * @returns `null` for anything else, and for one that is longer than a request may be
 * @throws system errors
 */
export const readSmallFile = async (path: string): Promise<Buffer | null> => {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > maxRequest) return null;
    const bytes = Buffer.alloc(maxRequest + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return bytesRead > maxRequest ? null : bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
};
