import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isForbidden, messageOf, systemCode } from '#base/errors';
import { openCheckpoint, parseLock, parseVkey, type Checkpoint, type Vkey } from '#vault/checkpoint';
import { parsePosition } from '#vault/intake';
import { openVault, type VaultReader } from '#vault/read';
import { amendmentsPath, segmentPath, stagingName, tileWidth } from '#vault/tree';
import { isListRemembered } from './listed.ts';
import { waitingIntake } from './waiting.ts';

/** One thing about a state directory that its operator should know, and what to do about it. */
export type Condition = {
  /**
   * `good`: as it should be. `note`: nothing is wrong. `bad`: the keeper would refuse, or something is missing.
   * `unseen`: this user may not look.
   */
  grade: 'good' | 'note' | 'bad' | 'unseen';
  /** Path below the state directory. */
  what: string;
  finding: string;
  remedy: string | null;
};

export type StateReport = {
  /** `copy`: nothing that a keeper needs is there, and nothing that only it has. `unknown`: not all could be looked at. */
  verdict: 'fit' | 'unfit' | 'copy' | 'unknown';
  conditions: Condition[];
};

export type StatePlaces = { vault: string; keys: string; intake: string };

/** Where systemd's documentation and ours (docs/formats/keys.md) put a sealed signing key. */
const sealedPlaces = [
  '/etc/holdfast/signer.cred',
  '/etc/credstore.encrypted/holdfast-signer',
  '/run/credstore.encrypted/holdfast-signer',
];

/**
 * Whether a keeper could go on from this state directory, and what its next start would do. Quick: every entry and tile
 * is hashed, but of the segments only presence and length are looked at; `verifyVault` reads them.
 * Never throws for what it finds.
 * @param sealed files that may hold the signing key, sealed
 */
export const inspectState = (places: StatePlaces, sealed: readonly string[] = sealedPlaces): StateReport => {
  const conditions: Condition[] = [];
  const add: Add = (grade, what, finding, remedy = null) => {
    conditions.push({ grade, what, finding, remedy });
  };
  const isCopy = looksLikeCopy(places);
  const vkey = inspectKeys(places, { isCopy, sealed }, add);
  const published = vkey === null ? null : readCheckpoint(join(places.vault, 'checkpoint'), vkey, add);
  const position = vkey === null ? null : inspectLock(places, { vkey, published, isCopy }, add);
  if (published !== null) inspectSegments(places.vault, add);
  inspectIntake(places.intake, position, isCopy, add);
  const grades = new Set(conditions.map(({ grade }) => grade));
  const verdict = grades.has('bad') ? 'unfit' : grades.has('unseen') ? 'unknown' : isCopy ? 'copy' : 'fit';
  return { verdict, conditions };
};

type Add = (grade: Condition['grade'], what: string, finding: string, remedy?: string | null) => void;

/** An exported copy has neither lock record nor private key, and nothing was ever received into it. */
const looksLikeCopy = ({ keys, intake }: StatePlaces): boolean =>
  [join(keys, 'lock'), join(keys, 'signer.key'), join(keys, 'signer.next.key'), intake].every(isMissing);

/** Seen to be missing, which is more than not seen. */
const isMissing = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
};

const allowed = 'run this as root, or as the user who runs Holdfast';

/** What is wrong with something, unless this user may not look at it. */
const addFault = (add: Add, what: string, error: unknown, remedy: string): void => {
  if (isForbidden(error)) add('unseen', what, messageOf(error), allowed);
  else add('bad', what, messageOf(error), remedy);
};

const inspectKeys = (
  { keys }: StatePlaces,
  { isCopy, sealed }: { isCopy: boolean; sealed: readonly string[] },
  add: Add,
): Vkey | null => {
  if (!isCopy) inspectSigner(join(keys, 'signer.key'), sealed, add);
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
    addFault(add, 'keys/vault.vkey', error, 'restore it from a copy: it is public');
    return null;
  }
};

const inspectSigner = (path: string, sealed: readonly string[], add: Add): void => {
  const what = 'keys/signer.key';
  try {
    const { mode } = lstatSync(path);
    if ((mode & 0o077) === 0) add('good', what, 'readable by its owner alone');
    else
      add(
        'bad',
        what,
        `mode ${(mode & 0o777).toString(8)}: others may read the signing key`,
        `chmod 600 ${path}, and rotate it: holdfast vault rotate-key`,
      );
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') {
      addFault(add, what, error, 'see what lies there');
      return;
    }
    const seal = sealed.find((place) => existsSync(place));
    if (seal !== undefined)
      add('note', what, `not there; ${seal} may hold it sealed, for the unit that names it`);
    else
      add(
        'bad',
        what,
        'missing: nothing can be signed here, unless a unit unseals it (LoadCredentialEncrypted=holdfast-signer:…)',
        'restore it from where it is kept, or see docs/formats/keys.md; if it is sealed, nothing is wrong',
      );
  }
};

const readCheckpoint = (path: string, vkey: Vkey, add: Add): Checkpoint | null => {
  try {
    const checkpoint = openCheckpoint(readFileSync(path), vkey);
    add('good', 'vault/checkpoint', `size ${checkpoint.size}, signed by ${checkpoint.origin}`);
    return checkpoint;
  } catch (error) {
    addFault(add, 'vault/checkpoint', error, restore);
    return null;
  }
};

const restore = 'restore it from a copy: holdfast vault fsck --from COPY';

/** What the next start of the keeper would make of lock record and checkpoint. @returns the intake position */
const inspectLock = (
  { vault, keys }: StatePlaces,
  { vkey, published, isCopy }: { vkey: Vkey; published: Checkpoint | null; isCopy: boolean },
  add: Add,
): ReturnType<typeof parsePosition> | null => {
  const what = 'keys/lock';
  if (isCopy) return null;
  let signed: Checkpoint;
  let intake: string;
  try {
    const lock = parseLock(readFileSync(join(keys, 'lock')));
    signed = openCheckpoint(lock.note, vkey);
    intake = lock.intake;
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      add('bad', what, 'missing: a keeper refuses without what the signer remembers', restoreKeys);
    else addFault(add, what, error, restoreKeys);
    return null;
  }
  if (published !== null) compare(vault, { published, signed }, add);
  if (published?.size === signed.size) inspectAmendments(vault, intake, add);
  try {
    return parsePosition(intake);
  } catch (error) {
    add('bad', what, messageOf(error), restoreKeys);
    return null;
  }
};

const restoreKeys = 'restore keys/ of the time of vault/';

/** A list that is shorter than the signer remembers may hide a legal hold: a keeper refuses. */
const inspectAmendments = (vault: string, lines: string, add: Add): void => {
  const what = `vault/${amendmentsPath}`;
  try {
    if (!isListRemembered(vault, lines)) add('bad', what, 'not the list that the signer remembers', restore);
  } catch (error) {
    addFault(add, what, error, restore);
  }
};

const compare = (
  vault: string,
  { published, signed }: { published: Checkpoint; signed: Checkpoint },
  add: Add,
): void => {
  const what = 'keys/lock';
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
    addFault(add, 'vault/tile', error, restore);
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

/** `null` for a file that is not there. @throws system errors */
const lengthOf = (path: string): number | null => lstatSync(path, { throwIfNoEntry: false })?.size ?? null;

const inspectIntake = (
  intake: string,
  position: ReturnType<typeof parsePosition> | null,
  isCopy: boolean,
  add: Add,
): void => {
  if (isCopy) return;
  const waiting = waitingIntake(intake, position);
  switch (waiting.kind) {
    case 'missing':
      add('note', 'intake', 'not there: the next start makes it');
      return;
    case 'unseen':
      add('unseen', 'intake', waiting.why, allowed);
      return;
    case 'seen':
      add('good', 'intake', `${waiting.bytes} bytes in ${waiting.files} files wait for the keeper`);
      if (waiting.damaged > 0)
        add(
          'note',
          'intake/damaged',
          `${waiting.damaged} files that did not read were set aside`,
          'examine them; the log says when',
        );
  }
};
