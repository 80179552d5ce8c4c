import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { isForbidden, messageOf, systemCode } from '#base/errors';
import { lockFile as takeFileLock } from '#base/file-lock';
import {
  checkpointText,
  encodeHistoryNote,
  encodeLock,
  signNote,
  type Checkpoint,
  type Vkey,
} from '#vault/checkpoint';
import { newFate, openDurable, type Fate } from '#vault/durable';
import { formatListed } from '#vault/intake';
import {
  edgeRoot,
  encodeEntry,
  encodeStaging,
  growAmendments,
  growEdge,
  historyPath,
  loadEdge,
  parseStaging,
  sha256,
  stagingName,
  type Edge,
  type Staged,
  witnessedPath,
} from '#vault/tree';
import { VaultError } from '../errors.ts';
import { applyStaged, dropStaging } from './apply.ts';
import { assertUncontradicted, convict } from './contradiction.ts';
import { keyFiles, loadSigner, prepareNextSigner, settleRotation } from './keys.ts';
import { newSegments, outerEntry, type NewEntry } from './new-entry.ts';
import { recover } from './recover.ts';
import { markRevisions } from './revision-mark.ts';

export type { NewEntry } from './new-entry.ts';

export type AppenderOptions = {
  vault: string;
  keys: string;
  clock: Clock;
  /** Called before and after every system call that changes something. Tests end the process there, so to speak. */
  step?: (what: string) => void;
  /** The signing key (PKCS#8 PEM) where it is sealed and was handed over; else it lies in `keys`. */
  unsealedKey?: Buffer;
  /** How long to wait for another keeper that is about to end; default 10 s. */
  patienceMs?: number;
};

export type Appender = {
  readonly vault: string;
  readonly keys: string;
  readonly origin: string;
  /** The signing key lies in no file that this process could replace. */
  readonly sealed: boolean;
  /** Entries committed, and index of the next one. */
  size(): number;
  /** Intake position of the last commit, as it was given. */
  intake(): string;
  /** The list `vault/amendments` as the newest commit has it; empty while there is none. */
  amendments(): Buffer;
  /** For all else that the process makes durable: after a failed fsync nothing more is signed. */
  readonly fate: Fate;
  /** What was found at the start: a commit that a crash had cut short and that was completed. */
  readonly recovered: boolean;
  /**
   * Appends the entries, in order, and publishes the checkpoint that covers them. One at a time.
   * @param intake position up to which intake is taken once this is committed
   * @throws VaultError `no-space`: nothing was committed, the same call may be repeated; anything else ends the
   *   appender, and the process with it
   */
  commit(entries: readonly NewEntry[], intake: string): Promise<Checkpoint>;
  /** Resolves when no commit is under way, whether it succeeded or not. */
  settled(): Promise<void>;
  /** The newest published checkpoint, and the key that signs the next. */
  checkpoint(): Checkpoint;
  vkey(): Vkey;
  /** Replaces `checkpoint.witnessed`; between two commits. @param note a published checkpoint with its cosignatures */
  publishWitnessed(note: Buffer): Promise<void>;
  /**
   * Keeps a checkpoint that our key signed and our log does not contain; from then on nothing is signed, by this keeper
   * or the next.
   * @returns the error to end with
   */
  convict(theirs: Checkpoint): Promise<VaultError>;
  /** Lets another keeper in. The end of the process does so too, and only it is sure that nothing is under way. */
  close(): void;
};

const holderPatienceMs = 10_000;

/**
 * Opens the vault for its only writer, which it is until it is closed or its process ends: the kernel sees to that.
 * Completes a commit that a crash cut short, and refuses to go on where the published state and the signer's memory
 * contradict each other.
 * @throws VaultError `absent`, `unreadable`, `in-use`, `bad-key`, `rolled-back`, `signer-behind`, `fork`, `corrupt`,
 *   `contradicted`
 */
export const openAppender = async (options: AppenderOptions): Promise<Appender> => {
  const { vault, keys, patienceMs = holderPatienceMs } = options;
  assertPresent(options);
  // Before anything is looked at: what a keeper that is about to end still writes must not be recovered from.
  const holder = keyFiles(keys).holder;
  const lock = await takeFileLock(holder, patienceMs);
  if (lock === null) {
    throw new VaultError(
      'in-use',
      `another keeper holds ${vault} (it has locked ${holder}) and did not end within ${patienceMs / 1000} s. ` +
        'End that process, or wait for the disk that it waits for, then start again',
    );
  }
  try {
    return await openHeld(options, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
};

const openHeld = async (
  { vault, keys, clock, step, unsealedKey }: AppenderOptions,
  held: { release(): void },
): Promise<Appender> => {
  const scratch = join(vault, 'staging');
  const fate = newFate();
  const durable = openDurable({ scratch, fate, ...(step ? { step } : {}) });
  const keysDurable = openDurable({ scratch: keys, fate, ...(step ? { step } : {}) });
  const before = loadSigner(keys, unsealedKey);
  const found = await recover({ vault, keys, vkey: before.vkey, durable });
  let signer = await settleRotation(keys, before, found.checkpoint.note, keysDurable);
  await assertUncontradicted({ vault, keys, vkey: signer.vkey, keysDurable }, found.checkpoint);

  const origin = signer.vkey.name;
  const lockFile = keyFiles(keys).lock;
  let { edge, checkpoint, intake, amendments, lockBytes, historyEnd } = found;
  let state: 'open' | 'committing' | 'failed' | 'closed' = 'open';

  let pastCommitPoint = false;
  let underWay: Promise<unknown> | null = null;
  let standing: 'good' | 'convicted' = 'good';

  /** @throws VaultError `fsync-failed`, `contradicted`: this process signs nothing any more */
  const maySign = (): void => {
    fate.check();
    if (standing === 'convicted')
      throw new VaultError('contradicted', 'a witness has shown that this log was put back or forked');
  };

  const commit = async (entries: readonly NewEntry[], newIntake: string): Promise<Checkpoint> => {
    maySign();
    if (!lockBytes.equals(await readFile(lockFile))) {
      throw new VaultError(
        'other-writer',
        `${lockFile} was changed by somebody else: another keeper runs on this vault. End one of them`,
      );
    }
    const next = entries.some(({ kind }) => kind === 'key')
      ? await prepareNextSigner(keys, signer, keysDurable)
      : null;
    const committed = clock.now();
    const prev = { size: checkpoint.size, sha256: sha256(checkpoint.note) };
    const added = entries.map((entry) => outerEntry(entry, { committed, prev }, next));
    const encoded = added.map(encodeEntry);
    const growth = growEdge(edge, encoded);
    const root = edgeRoot(growth.edge);
    const size = growth.edge.size;
    const path = historyPath(size);
    const amended = growAmendments(amendments, edge.size, added);
    const list = amended?.bytes ?? amendments;
    const staged: Staged = {
      size,
      root,
      from: edge.size,
      history: { path, offset: path === historyPath(edge.size) ? historyEnd : 0 },
      files: amended === null ? growth.files : [...growth.files, amended],
      replaced: growth.replaced,
    };

    // Up to the commit point a full disk undoes everything and changes nothing.
    const bundle = join(scratch, stagingName(size, root));
    let note: Buffer;
    let lock: Buffer;
    const written: string[] = [];
    try {
      await markRevisions(scratch, entries, durable);
      await writeSegments(entries, written);
      await durable.write(bundle, encodeStaging(staged));
      await reread(vault, entries, edge.size, bundle, growth.edge);

      // The checkpoint under which a key is replaced is signed by both, the old one first.
      maySign();
      note = signNote(
        checkpointText(origin, size, root),
        ...(next === null ? [signer] : [signer, next]).map(({ vkey, privateKey }) => ({
          name: origin,
          keyId: vkey.keyId,
          privateKey,
        })),
      );
      lock = encodeLock({ intake: `${newIntake}${formatListed(list)}`, note });
      await keysDurable.write(lockFile, lock, 0o644);
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      // A rename that reports a fault may have happened: then this is committed, and not to be undone.
      if (!lockBytes.equals(await readFile(lockFile))) throw doubtful(lockFile, error);
      await undo(written, bundle);
      throw error;
    }
    lockBytes = lock;
    // Before the checkpoint is published: whoever reads under that one asks for its list.
    amendments = list;
    pastCommitPoint = true;

    await applyStaged({ vault, durable, staged, note });
    await dropStaging({ vault, durable, replaced: staged.replaced });
    if (next !== null) signer = await settleRotation(keys, signer, note, keysDurable);
    historyEnd = staged.history.offset + encodeHistoryNote(note).length;
    edge = growth.edge;
    intake = newIntake;
    checkpoint = { origin, size, root, note };
    return checkpoint;
  };

  /** None may take the place of another. @param written grows by the path of each that was */
  const writeSegments = async (entries: readonly NewEntry[], written: string[]): Promise<void> => {
    const writes = newSegments(entries, edge.size).map(async ({ path, stored }) => {
      await durable.create(join(vault, path), stored);
      written.push(join(vault, path));
    });
    // All of them, also after one has failed: none may come into being after what was written is undone.
    const faults = (await Promise.allSettled(writes)).flatMap((write) =>
      write.status === 'rejected' ? [write.reason] : [],
    );
    if (faults.length > 0) throw faults.find((fault) => !isNoSpace(fault)) ?? faults[0];
  };

  const undo = async (written: readonly string[], bundle: string): Promise<void> => {
    // The bundle first: without its segments it would be taken for damage.
    await durable.remove([bundle, ...written]);
    await dropStaging({ vault, durable, replaced: [] });
  };

  return {
    vault,
    keys,
    origin,
    get sealed() {
      return signer.sealed;
    },
    size: () => edge.size,
    intake: () => intake,
    amendments: () => amendments,
    recovered: found.recovered,
    fate,
    async commit(entries, newIntake) {
      if (state !== 'open') {
        throw new VaultError(
          'failed',
          `the vault's writer is ${state}: it takes no commit until the process is started again`,
        );
      }
      state = 'committing';
      pastCommitPoint = false;
      try {
        const committing = commit(entries, newIntake);
        underWay = committing;
        const result = await committing;
        if (state === 'committing') state = 'open';
        return result;
      } catch (error) {
        // Past the commit point even a full disk is a fault: the next start completes the commit.
        state = isNoSpace(error) && !pastCommitPoint ? 'open' : 'failed';
        throw state === 'open'
          ? error
          : new VaultError(codeOf(error), `commit failed: ${messageOf(error)}`, { cause: error });
      }
    },
    checkpoint: () => checkpoint,
    async settled() {
      await underWay?.catch(() => undefined);
    },
    vkey: () => signer.vkey,
    async publishWitnessed(note) {
      if (state === 'open') await durable.write(join(vault, witnessedPath), note);
    },
    convict(theirs) {
      // Before the evidence is written: a commit that has not signed yet must not do so meanwhile.
      standing = 'convicted';
      state = 'failed';
      return convict(keys, checkpoint, theirs, keysDurable);
    },
    close() {
      state = 'closed';
      held.release();
    },
  };
};

const doubtful = (lockFile: string, cause: unknown): VaultError =>
  new VaultError(
    'failed',
    `writing ${lockFile} failed and yet it was written: ${messageOf(cause)}. The next start completes the commit`,
    { cause },
  );

const isNoSpace = (error: unknown): boolean => error instanceof VaultError && error.code === 'no-space';

const codeOf = (error: unknown): VaultError['code'] =>
  error instanceof VaultError && error.code !== 'no-space' ? error.code : 'failed';

const assertPresent = ({ keys, vault, unsealedKey }: AppenderOptions): void => {
  const files = keyFiles(keys);
  const unreadable = [
    files.lock,
    ...(unsealedKey === undefined ? [files.signer] : []),
    files.vkey,
    join(vault, 'checkpoint'),
  ].flatMap(unreadableFile);
  if (unreadable.length === 0) return;
  const shut = unreadable.filter(({ error }) => systemCode(error) !== 'ENOENT');
  if (shut.length > 0)
    throw new VaultError(
      'unreadable',
      `there is a vault in ${vault} with keys in ${keys}, and it cannot be read: ${shut.map(({ error }) => messageOf(error)).join('; ')}. ` +
        (shut.some(({ error }) => isForbidden(error))
          ? 'Some of it belongs to another user than the one this keeper runs as, perhaps because root wrote there: give it back to that user (chown)'
          : 'Check the disk; nothing was written'),
    );
  const missing = unreadable.map(({ path }) => path);
  throw new VaultError(
    'absent',
    `no vault in ${vault} with keys in ${keys}: cannot read ${missing.join(', ')}. A vault is never made implicitly. ` +
      'Restore what is missing from a backup; if a first start was cut short before keys/lock was written, nothing was ever stored: remove both directories and start again',
  );
};

const unreadableFile = (path: string): { path: string; error: unknown }[] => {
  try {
    readFileSync(path);
    return [];
  } catch (error) {
    return [{ path, error }];
  }
};

/** One flipped bit can end a log: what was written is read again, and must give the root that is about to be signed. */
const reread = async (
  vault: string,
  entries: readonly NewEntry[],
  first: number,
  bundle: string,
  edge: Edge,
): Promise<void> => {
  for (const { path, named } of newSegments(entries, first)) {
    if (!sha256(await readFile(join(vault, path))).equals(named.sha256)) {
      throw new VaultError(
        'corrupt',
        `${join(vault, path)} does not read back as it was written. Check memory and disk; nothing was signed`,
      );
    }
  }
  const { files } = parseStaging(await readFile(bundle));
  const staged = new Map(files.map((file) => [file.path, file.bytes]));
  const again = loadEdge(
    (path) => staged.get(path) ?? readFileSync(join(vault, path)),
    edge.size,
    edgeRoot(edge),
  );
  if (!again.bundle.equals(edge.bundle))
    throw new VaultError('corrupt', `${bundle} does not read back as it was written`);
};
