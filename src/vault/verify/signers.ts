import {
  isBy,
  isSigned,
  openCheckpoint,
  parseNote,
  parseVkey,
  type Checkpoint,
  type NoteSignature,
  type Vkey,
} from '#vault/checkpoint';
import type { KeyEntry } from '#vault/tree';
import { messageOf, type Keys } from './report.ts';
import type { Amended } from './scan.ts';

/**
 * Opens a checkpoint of the log, whichever of its keys it was signed by. What key entries claim is not yet known to be
 * true: `newSigners` shows whether they lead from the given key to the one that signed.
 */
export const openerOf =
  (given: Vkey, keyEntries: readonly Amended<KeyEntry>[]) =>
  (note: Buffer): Checkpoint => {
    const later = laterKeys(given, keyEntries);
    let failure: unknown = null;
    for (const vkey of [...later.toReversed(), given]) {
      try {
        return openCheckpoint(note, vkey);
      } catch (error) {
        // The given key's complaint is the one to report.
        failure = error;
      }
    }
    throw failure;
  };

export const keyEntriesOf = (amendments: readonly Amended[]): Amended<KeyEntry>[] =>
  amendments.flatMap(({ index, entry }) => (entry.kind === 'key' ? [{ index, entry }] : []));

/** The given key and those that replaced it, as far as key entries say. */
export const keysOf = (given: Vkey, keyEntries: readonly Amended<KeyEntry>[]): Vkey[] => [
  given,
  ...laterKeys(given, keyEntries),
];

/** Index of the entry that names the given key; `null` for the log's first. Smaller checkpoints are by another key. */
export const startOf = (given: Vkey, keyEntries: readonly Amended<KeyEntry>[]): number | null =>
  keyEntries.findLast(({ entry }) => {
    const vkey = parsedKey(entry, given.name);
    return vkey !== null && isSame(vkey, given);
  })?.index ?? null;

/** Keys that replaced the given one, one after another. */
const laterKeys = (given: Vkey, keyEntries: readonly Amended<KeyEntry>[]): Vkey[] => {
  const keys = keyEntries.flatMap(({ entry }) => parsedKey(entry, given.name) ?? []);
  return keys.slice(keys.findLastIndex((vkey) => isSame(vkey, given)) + 1).slice(-mostKeys);
};

/** Each is tried on checkpoints that somebody else may have written. */
const mostKeys = 1000;

const parsedKey = (entry: KeyEntry, name: string): Vkey | null => {
  try {
    const vkey = parseVkey(entry.key);
    return vkey.name === name ? vkey : null;
  } catch {
    return null;
  }
};

const isSame = (one: Vkey, other: Vkey): boolean =>
  one.keyId.equals(other.keyId) && one.publicKey.equals(other.publicKey);

export type Signers = {
  /** The entry at `index` replaces the key. @returns what is wrong with it, or `null` */
  replace(index: number, entry: KeyEntry): string | null;
  /** Checks the signatures of the next published checkpoint. @returns as `replace` */
  fault(note: Buffer, size: number): string | null;
  /** Past that checkpoint. @param isChecked whether it was there, and without fault */
  pass(size: number, isChecked: boolean): void;
  /** The key by which a checkpoint of a size that was passed is signed; `null` where it is not known. */
  at(size: number): Vkey | null;
  keys(): Keys;
  /** Whether the newest key is the given one, or one that leads from it to here, and has signed a checkpoint. */
  isFollowed(): boolean;
};

/**
 * Who has to have signed each checkpoint: the key of the time alone; the first checkpoint after a key entry by the key
 * before and then by the new one. Where the given key is not the log's first, the first one is not known: its
 * signatures cannot be checked, but that they are all by one key.
 */
export const newSigners = (
  given: Vkey,
  givenText: string,
  keyEntries: readonly Amended<KeyEntry>[],
): Signers => {
  const isFirst = startOf(given, keyEntries) === null;
  let current: { vkey: Vkey; text: string } | null = isFirst ? { vkey: given, text: givenText } : null;
  /** Of the unknown first key. */
  let firstId: Buffer | null = null;
  /** Replacements since the last checkpoint. */
  let next: { index: number; vkey: Vkey; text: string }[] = [];
  let replaced = 0;
  let uncheckedTo: number | null = null;
  /** Whether the current key is the given one, or follows from it step by step. */
  let isReached = isFirst;
  let hasSigned = false;
  const epochs: { until: number; vkey: Vkey | null }[] = [];

  const isByCurrent = (text: string, signature: NoteSignature): string | null => {
    if (current !== null)
      return isSigned(text, signature, current.vkey)
        ? null
        : 'the signature of the key in force does not match';
    firstId ??= signature.keyId;
    return signature.name === given.name &&
      signature.signature.length === 64 &&
      signature.keyId.equals(firstId)
      ? null
      : 'signed by another key than the checkpoints before';
  };

  const signatureFault = (note: Buffer, size: number): string | null => {
    const { text, signatures } = parseNote(note);
    const [first, second] = signatures;
    const [replacement, ...others] = next;
    if (others.length > 0)
      return `entries ${next.map(({ index }) => index).join(', ')} replace the key in one commit`;
    if (first === undefined) return 'not signed';
    if (current === null) uncheckedTo = size;
    if (replacement === undefined) {
      if (second !== undefined) return 'signed twice, though no entry of its commit replaces the key';
      if (current !== null && !isBy(first, current.vkey))
        return `signed by another key (${first.keyId.toString('hex')}) than the one in force (${current.vkey.keyId.toString('hex')})`;
      return isByCurrent(text, first);
    }
    const about = `entry ${replacement.index} replaces the key`;
    if (second === undefined || signatures.length > 2)
      return `${about}, and it is not signed by the old key and the new one`;
    const fault = isByCurrent(text, first);
    if (fault !== null) return `${about}: its first signature is not the old key’s: ${fault}`;
    return isSigned(text, second, replacement.vkey)
      ? null
      : `${about}: its second signature is not the new key’s`;
  };

  return {
    replace(index, entry) {
      replaced += 1;
      let vkey: Vkey;
      try {
        vkey = parseVkey(entry.key);
      } catch (error) {
        return messageOf(error);
      }
      if (vkey.name !== given.name) return `it names a key of ${vkey.name}, another log`;
      if (current !== null && isSame(current.vkey, vkey)) return 'it names the key that is in force already';
      next.push({ index, vkey, text: entry.key });
      return null;
    },
    fault(note, size) {
      try {
        return signatureFault(note, size);
      } catch (error) {
        return messageOf(error);
      }
    },
    pass(size, isChecked) {
      const replacement = next.at(-1);
      next = [];
      if (replacement === undefined) {
        if (isChecked) hasSigned = true;
        return;
      }
      isReached = isSame(replacement.vkey, given) || (isReached && isChecked);
      hasSigned = isChecked;
      epochs.push({ until: size, vkey: current?.vkey ?? null });
      current = { vkey: replacement.vkey, text: replacement.text };
    },
    at: (size) => {
      const epoch = epochs.find(({ until }) => size <= until);
      return epoch === undefined ? (current?.vkey ?? null) : epoch.vkey;
    },
    isFollowed: () => isReached && hasSigned,
    keys: () => ({
      given: given.keyId.toString('hex'),
      inForce: isReached && hasSigned ? (current?.text ?? null) : null,
      replaced,
      uncheckedTo,
    }),
  };
};
