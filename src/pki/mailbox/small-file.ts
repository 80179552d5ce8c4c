import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Bytes of a request, or of an answer. */
export const mostBytes = 96 * 1024;

/** Makes a file, which must not be there. @throws system errors */
export const makeFile = async (
  path: string,
  bytes: Uint8Array,
  mode: number,
  owner: { uid: number; gid: number } | null = null,
): Promise<void> => {
  const file = await open(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    mode,
  );
  try {
    if (owner !== null) await file.chown(owner.uid, owner.gid);
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
};

/** Names in the directory of a mailbox, by the id of the request: 16 hexadecimal digits. */
export const names = (
  id: string,
): { unfinished: string; asked: string; answering: string; answer: string } => ({
  unfinished: `${id}.new`,
  asked: `${id}.ask`,
  answering: `${id}.writing`,
  answer: `${id}.answer`,
});
