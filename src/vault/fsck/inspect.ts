import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { openCheckpoint, parseLock, parseVkey, type Checkpoint, type Vkey } from '#vault/checkpoint';
import { isIntakeName, parsePosition } from '#vault/intake';
import { openVault, VaultError, type VaultReader } from '#vault/read';
import { segmentPath, stagingName, tileWidth } from '#vault/tree';

/** One thing about a state directory that its operator should know, and what to do about it. */
export type Condition = {
  /** `good`: as it should be. `note`: nothing is wrong. `bad`: the keeper would refuse, or something is missing. */
  grade: 'good' | 'note' | 'bad';
  /** Path below the state directory. */
  what: string;
  finding: string;
  remedy: string | null;
};

export type StateReport = { fit: boolean; conditions: Condition[] };

export type StatePlaces = { vault: string; keys: string; intake: string };

/**
 * Whether a keeper could go on from this state directory, and what its next start would do. Quick: every entry and tile
 * is hashed, but of the segments only presence and length are looked at; `verifyVault` reads them.
 * Never throws for what it finds.
 */
export const inspectState = (places: StatePlaces): StateReport => {
  const conditions: Condition[] = [];
  const add = (
    grade: Condition['grade'],
    what: string,
    finding: string,
    remedy: string | null = null,
  ): void => {
    conditions.push({ grade, what, finding, remedy });
  };
  const vkey = inspectKeys(places, add);
  const published = vkey === null ? null : readCheckpoint(join(places.vault, 'checkpoint'), vkey, add);
  const position = vkey === null ? null : inspectLock(places, vkey, published, add);
  if (published !== null) inspectSegments(places.vault, add);
  inspectIntake(places.intake, position, add);
  return { fit: conditions.every(({ grade }) => grade !== 'bad'), conditions };
};

type Add = (grade: Condition['grade'], what: string, finding: string, remedy?: string | null) => void;

const inspectKeys = ({ keys }: StatePlaces, add: Add): Vkey | null => {
  inspectSigner(join(keys, 'signer.key'), add);
  if (existsSync(join(keys, 'contradiction')))
    add(
      'bad',
      'keys/contradiction',
      'somebody remembers a checkpoint signed with our key that this log does not contain: the keeper refuses',
      'restore the newer state; docs/formats/witness.md says how to go on where there is none',
    );
  if (existsSync(join(keys, 'signer.next.key')))
    add('note', 'keys/signer.next.key', 'a rotation of the key was cut short: the next start settles it');
  try {
    return parseVkey(readFileSync(join(keys, 'vault.vkey'), 'utf8'));
  } catch (error) {
    add('bad', 'keys/vault.vkey', messageOf(error), 'restore it from a copy: it is public');
    return null;
  }
};

const inspectSigner = (path: string, add: Add): void => {
  try {
    const { mode } = lstatSync(path);
    if ((mode & 0o077) === 0) add('good', 'keys/signer.key', 'readable by its owner alone');
    else
      add(
        'bad',
        'keys/signer.key',
        `mode ${(mode & 0o777).toString(8)}: others may read the signing key`,
        `chmod 600 ${path}, and rotate it: holdfast vault rotate-key`,
      );
  } catch (error) {
    if (systemCode(error) === 'EACCES')
      add('note', 'keys/signer.key', 'not readable for this user, as it should be');
    else
      add(
        'note',
        'keys/signer.key',
        `not there (${systemCode(error) ?? messageOf(error)}): right for a copy, or where systemd-creds seals it; else nothing can be signed here`,
      );
  }
};

const readCheckpoint = (path: string, vkey: Vkey, add: Add): Checkpoint | null => {
  try {
    const checkpoint = openCheckpoint(readFileSync(path), vkey);
    add('good', 'vault/checkpoint', `size ${checkpoint.size}, signed by ${checkpoint.origin}`);
    return checkpoint;
  } catch (error) {
    add('bad', 'vault/checkpoint', messageOf(error), restore);
    return null;
  }
};

const restore = 'restore it from a copy: holdfast vault fsck --from COPY';

/** What the next start of the keeper would make of lock record and checkpoint. @returns the intake position */
const inspectLock = (
  { vault, keys }: StatePlaces,
  vkey: Vkey,
  published: Checkpoint | null,
  add: Add,
): ReturnType<typeof parsePosition> | null => {
  const what = 'keys/lock';
  let signed: Checkpoint;
  let intake: string;
  try {
    const lock = parseLock(readFileSync(join(keys, 'lock')));
    signed = openCheckpoint(lock.note, vkey);
    intake = lock.intake;
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      add('note', what, 'not there: right for a copy; a keeper refuses without it');
    else add('bad', what, messageOf(error), 'restore keys/ of the time of vault/');
    return null;
  }
  if (published !== null) {
    const staged = join(vault, 'staging', stagingName(signed.size, signed.root));
    if (published.size === signed.size && published.root.equals(signed.root))
      add('good', what, `the signer remembers what is published (size ${signed.size})`);
    else if (published.size < signed.size && existsSync(staged))
      add('note', what, `size ${signed.size} is signed and staged: the next start publishes it`);
    else if (published.size < signed.size)
      add(
        'bad',
        what,
        `the signer remembers size ${signed.size}: vault/ was put back to size ${published.size}`,
        restore,
      );
    else
      add(
        'bad',
        what,
        published.size > signed.size
          ? `the signer remembers only size ${signed.size}: keys/ was put back to an older state`
          : 'the signer remembers another root for this size: two histories were signed',
        'keep both for examination; never sign again from here',
      );
  }
  try {
    return parsePosition(intake);
  } catch (error) {
    add('bad', what, messageOf(error), 'restore keys/ of the time of vault/');
    return null;
  }
};

/** Presence and length of every segment, as the entries name them. */
const inspectSegments = (vault: string, add: Add): void => {
  let missing = 0;
  let expired = 0;
  let batches = 0;
  const wrong: string[] = [];
  try {
    const reader = openVault(vault);
    const size = reader.checkpoint()?.size ?? 0;
    for (let first = 0; first < size; first += tileWidth) {
      for (const { index, entry } of reader.entries(first, Math.min(first + tileWidth, size))) {
        if (entry.kind !== 'batch') continue;
        batches += 1;
        const redaction = reader.amendments().redaction(index);
        const path = segmentPath(index, redaction?.index);
        const length = lengthOf(join(vault, path));
        if (length === (redaction?.entry.segment ?? entry.segment).length) continue;
        if (length === null && isExpired(reader, index, entry)) expired += 1;
        else {
          missing += 1;
          if (wrong.length < 10)
            wrong.push(`${path} ${length === null ? 'is missing' : `has ${length} bytes`}`);
        }
      }
    }
  } catch (error) {
    add('bad', 'vault/tile', error instanceof VaultError ? error.message : messageOf(error), restore);
    return;
  }
  const more = missing > wrong.length ? `, and ${missing - wrong.length} more` : '';
  if (missing > 0) add('bad', 'vault/segment', `${wrong.join('; ')}${more}`, restore);
  else
    add(
      'good',
      'vault/segment',
      `${batches - expired} segments are there, each of its length${expired > 0 ? `; ${expired} expired` : ''} (contents: holdfast vault verify)`,
    );
};

const isExpired = (
  reader: VaultReader,
  index: number,
  entry: Parameters<ReturnType<VaultReader['amendments']>['expiry']>[1],
): boolean => reader.amendments().expiry(index, entry) !== null;

const lengthOf = (path: string): number | null => {
  try {
    return lstatSync(path).size;
  } catch {
    return null;
  }
};

const inspectIntake = (intake: string, position: ReturnType<typeof parsePosition> | null, add: Add): void => {
  try {
    let bytes = 0;
    let files = 0;
    for (const name of readdirSync(intake).filter(isIntakeName)) {
      const taken = position?.get(name) ?? 0;
      if (typeof taken !== 'number') continue;
      const waiting = Math.max(0, (lengthOf(join(intake, name)) ?? 0) - taken);
      if (waiting > 0) files += 1;
      bytes += waiting;
    }
    add('good', 'intake', `${bytes} bytes in ${files} files wait for the keeper`);
    const damaged = existsSync(join(intake, 'damaged')) ? readdirSync(join(intake, 'damaged')) : [];
    if (damaged.length > 0)
      add(
        'note',
        'intake/damaged',
        `${damaged.length} files that did not read were set aside`,
        'examine them; the log says when',
      );
  } catch (error) {
    if (systemCode(error) === 'ENOENT') add('note', 'intake', 'not there: right for a copy');
    else
      add(
        'note',
        'intake',
        `could not look: ${messageOf(error)}`,
        'run as root, or as the user who runs Holdfast',
      );
  }
};
