import { lstatSync, mkdtempSync, readdirSync, realpathSync, rmdirSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { VaultError } from '#vault/read';

export type TargetOptions = {
  target: string;
  /** Directories of the source: the target is none of them, lies in none, and contains none. */
  sources: readonly string[];
};

/**
 * Refuses a directory in which a copy would be no copy, or would be written elsewhere: the source itself, a place in it or
 * around it, a state directory that signs, and one in which links or somebody else's files lie.
 * Nothing is written.
 * @throws VaultError `refused`
 */
export const assertTarget = ({ target, sources }: TargetOptions): void => {
  const place = resolved(target);
  for (const source of sources) assertApart(target, place, source);
  assertNoStateDirectory(target);
  assertOwn(target);
};

/** The directory as the kernel finds it; what does not exist yet, below what does. */
const resolved = (path: string): string => {
  try {
    return realpathSync(path);
  } catch (error) {
    // A link that leads nowhere would be followed once there is something.
    if (systemCode(error) !== 'ENOENT' || isThere(path) || dirname(path) === path)
      throw refused(path, `it cannot be looked at: ${messageOf(error)}`, error);
    return join(resolved(dirname(path)), basename(path));
  }
};

const assertApart = (target: string, place: string, source: string): void => {
  const other = lstatSync(realpathSync(source));
  const isOther = (path: string): boolean => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found !== undefined && found.dev === other.dev && found.ino === other.ino;
  };
  // By inode: a directory can be mounted in two places.
  for (let at = place; ; at = dirname(at)) {
    if (isOther(at))
      throw refused(
        target,
        at === place ? `it is ${source} itself` : `it lies in ${source}, and would go with it`,
      );
    if (dirname(at) === at) break;
  }
  const own = statSync(place, { throwIfNoEntry: false });
  if (own === undefined) return;
  for (let at = realpathSync(source); ; at = dirname(at)) {
    const found = lstatSync(at);
    if (found.dev === own.dev && found.ino === own.ino)
      throw refused(target, `${source}, which is to be copied, lies in it`);
    if (dirname(at) === at) break;
  }
};

/** What only a state directory has that a keeper goes on from. */
const signs = [join('keys', 'lock'), join('keys', 'signer.key'), join('keys', 'keeper.lock'), 'intake'];

const assertNoStateDirectory = (target: string): void => {
  for (const part of signs)
    if (isThere(join(target, part)))
      throw refused(target, `it has ${part}: it is the state directory of a Holdfast, and no copy`);
};

/** A link would lead writing elsewhere, and so could whoever owns a directory of the copy. */
const assertOwn = (target: string): void => {
  const owners = new Set([0, process.geteuid?.() ?? 0]);
  let hasProbed = false;
  const isOwn = ({ uid }: Stats): boolean => {
    if (owners.has(uid)) return true;
    // A file system may give what we write to another user (NFS for root): then that user is us.
    if (!hasProbed) owners.add(ownerOfNew(target));
    hasProbed = true;
    return owners.has(uid);
  };
  const look = (path: string): void => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (found.isSymbolicLink()) throw refused(target, `${path} is a link, and would lead elsewhere`);
    if (!found.isDirectory() && !found.isFile())
      throw refused(target, `${path} is neither file nor directory`);
    if (!isOwn(found)) throw foreign(target, path, found.uid);
    if (found.isDirectory()) for (const name of readdirSync(path)) look(join(path, name));
  };
  const found = statSync(target, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isDirectory()) throw refused(target, 'it is no directory');
  if (!isOwn(found)) throw foreign(target, target, found.uid);
  if ((found.mode & 0o1002) === 0o0002)
    throw refused(target, 'anybody may write to it, and so lead writing elsewhere');
  for (const part of ['vault', 'keys']) look(join(target, part));
};

const ownerOfNew = (directory: string): number => {
  try {
    const made = mkdtempSync(join(directory, '.holdfast-'));
    const { uid } = lstatSync(made);
    rmdirSync(made);
    return uid;
  } catch {
    return -1;
  }
};

const isThere = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw refused(path, `it cannot be looked at: ${messageOf(error)}`, error);
  }
};

const refused = (target: string, why: string, cause?: unknown): VaultError =>
  new VaultError('refused', `no copy is made in ${target}: ${why}. ${elsewhere}`, { cause });

const foreign = (target: string, path: string, uid: number): VaultError =>
  new VaultError(
    'refused',
    `no copy is made in ${target}: ${path} belongs to user ${uid}, who could lead writing elsewhere. ${elsewhere}; or run this as that user`,
  );

const elsewhere = 'Choose another directory; nothing was written';
