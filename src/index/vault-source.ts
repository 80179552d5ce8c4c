import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, type Clock, type Micros } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import { openVault, VaultError, type VaultReader } from '#vault/read';
import type { BatchRecords } from './project/batch-records.ts';
import { withdrawnBy, type Withdrawn } from './withdrawn.ts';

/** What the index needs of a vault. */
export type VaultSource = {
  /** Newest checkpoint, `null` if the vault has none yet. @throws VaultError */
  checkpoint(): { origin: string; size: number } | null;
  /** Why the signature of checkpoints is not checked, `null` if it is. */
  unsigned(): string | null;
  /**
   * An entry's lines, in memory of their own that the caller may give away, or that it has none, or that its bytes are not
   * what the checkpoint says.
   * @param tries more than one where a keeper may be putting new tiles in the place of old ones just now
   * @throws VaultError where it could not be looked at: that says nothing about the bytes
   */
  read(entry: number, tries?: number): Promise<EntryRead>;
  /**
   * What expire and redact entries of index `from` on take away, up to the newest checkpoint, in order.
   * @throws VaultError
   */
  withdrawn(from: number): Promise<Withdrawn[]>;
  /** Whether an entry is still what the checkpoint says; looks again only where its file is not as it was. */
  recheck(entry: number): Promise<Rechecked>;
};

export type EntryRead =
  | { kind: 'lines'; batch: BatchRecords }
  /**
   * `idle`: when the keeper said that it had nothing to commit, or the newest receive time of lines that have expired;
   * `null` if the entry says neither.
   */
  | { kind: 'no lines'; idle: Micros | null }
  | { kind: 'altered'; reason: string };

export type Rechecked =
  | { kind: 'as committed'; at: Micros }
  | { kind: 'altered'; reason: string }
  | { kind: 'could not look'; reason: string };

/** The text of the vault's public key, or why there is none. Asked again until there is one. */
export type KeyReader = () => { vkey: string } | { missing: string };

const retryMs = 100;
const mostKept = 4096;

export const vaultSource = (
  directory: string,
  readKey: KeyReader,
  clock: Clock = systemClock(),
): VaultSource => {
  let open: { vault: VaultReader; unsigned: string | null } | null = null;
  const kept = new Map<number, { stamp: string; at: Micros }>();

  const reader = (): { vault: VaultReader; unsigned: string | null } => {
    if (open !== null && open.unsigned === null) return open;
    const key = readKey();
    let missing = 'missing' in key ? key.missing : null;
    if ('vkey' in key) {
      try {
        // Asked again when the key was replaced.
        const vkey = (): string => {
          const now = readKey();
          return 'vkey' in now ? now.vkey : key.vkey;
        };
        open = { vault: openVault(directory, { vkey }), unsigned: null };
        return open;
      } catch (error) {
        missing = `the public key does not read (${messageOf(error)})`;
      }
    }
    open = { vault: open?.vault ?? openVault(directory), unsigned: missing };
    return open;
  };

  /** @param look at a batch that is not expired */
  const see = async <T>(
    entry: number,
    tries: number,
    look: (vault: VaultReader) => T | Promise<T>,
  ): Promise<T | Exclude<EntryRead, { kind: 'lines' }>> => {
    const { vault } = reader();
    for (let attempt = 1; ; attempt += 1) {
      try {
        const [found] = vault.entries(entry, entry + 1);
        if (found?.entry.kind === 'batch') {
          // Also where the file is there still, or again: an index that is made tomorrow will not have it.
          if (vault.amendments().expiry(entry, found.entry) !== null)
            return { kind: 'no lines', idle: found.entry.latest };
          return await look(vault);
        }
        return { kind: 'no lines', idle: found?.entry.kind === 'heartbeat' ? found.entry.committed : null };
      } catch (error) {
        if (!(error instanceof VaultError) || error.code !== 'corrupt' || couldNotLook(error)) throw error;
        if (attempt >= tries) return { kind: 'altered', reason: error.message };
        await sleep(retryMs);
      }
    }
  };

  return {
    checkpoint: () => reader().vault.checkpoint(),
    unsigned: () => reader().unsigned,
    read: (entry, tries = 3) =>
      see(entry, tries, async (vault) => ({ kind: 'lines', batch: await vault.batchBeside(entry) }) as const),
    async withdrawn(from) {
      const { vault } = reader();
      const found: Withdrawn[] = [];
      for (const amended of vault.amendments().all()) {
        const withdrawn = amended.index < from ? null : await withdrawnBy(vault, amended);
        if (withdrawn !== null) found.push(withdrawn);
      }
      return found;
    },
    async recheck(entry) {
      const stamp = stampOf(segmentFile(directory, entry));
      const known = kept.get(entry);
      if (stamp !== null && known?.stamp === stamp) return { kind: 'as committed', at: known.at };
      try {
        const found = await see(entry, 3, (vault) => vault.check(entry));
        if (found?.kind === 'altered') return found;
      } catch (error) {
        return { kind: 'could not look', reason: messageOf(error) };
      }
      const at = clock.now();
      if (stamp !== null) {
        if (kept.size >= mostKept) kept.clear();
        kept.set(entry, { stamp, at });
      }
      return { kind: 'as committed', at };
    },
  };
};

/** Any write to the file changes at least its ctime, which no program can set. */
const stampOf = (file: string): string | null => {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return null;
  }
};

/** docs/formats/vault.md: 1234067 → segment/x001/x234/067.zst. A wrong path would only mean that nothing is kept. */
const segmentFile = (directory: string, entry: number): string => {
  const digits = String(entry);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : `${group}.zst`));
  return join(directory, 'segment', ...path);
};

/** A file that is missing was there when it was checkpointed; any other system error says nothing about the bytes. */
const couldNotLook = (error: VaultError): boolean => {
  const code = systemCode(error.cause);
  return code !== null && /^E[A-Z]+$/.test(code) && code !== 'ENOENT';
};

/** Whether an error of the vault means that it was changed, and not that it could not be looked at. */
export const meansAltered = (error: unknown): boolean =>
  error instanceof VaultError && error.code === 'corrupt' && !couldNotLook(error);
