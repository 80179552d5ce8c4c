import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '#base/errors';
import { openVault, VaultError } from '#vault/read';
import type { BatchRecords } from './project/project.ts';

/** What the index needs of a vault. */
export type VaultSource = {
  /** Newest checkpoint, `null` if the vault has none yet. @throws VaultError */
  checkpoint(): { origin: string; size: number } | null;
  /**
   * An entry's lines, or that it has none, or that its bytes are not what the checkpoint says.
   * @throws VaultError where it could not be looked at: that says nothing about the bytes
   */
  read(entry: number): Promise<EntryRead>;
};

export type EntryRead =
  { kind: 'lines'; batch: BatchRecords } | { kind: 'no lines' } | { kind: 'altered'; reason: string };

const attempts = 3;
const retryMs = 100;

/** @param vkey text of the vault's public key; without it the checkpoint's signature is not checked */
export const vaultSource = (directory: string, vkey: string | null): VaultSource => {
  const vault = openVault(directory, vkey === null ? {} : { vkey });
  return {
    checkpoint: () => vault.checkpoint(),
    async read(entry) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return { kind: 'lines', batch: vault.batch(entry) };
        } catch (error) {
          if (!(error instanceof VaultError)) throw error;
          if (error.code === 'not-found') return { kind: 'no lines' };
          if (error.code !== 'corrupt' || couldNotLook(error)) throw error;
          // A keeper at work puts new tiles in the place of old ones, between two reads of ours.
          if (attempt === attempts) return { kind: 'altered', reason: error.message };
          await sleep(retryMs);
        }
      }
    },
  };
};

/** A file that is missing was there when it was checkpointed; any other system error says nothing about the bytes. */
const couldNotLook = (error: VaultError): boolean => {
  const code = systemCode(error.cause);
  return code !== null && /^E[A-Z]+$/.test(code) && code !== 'ENOENT';
};

/** Whether an error of the vault means that it was changed, and not that it could not be looked at. */
export const meansAltered = (error: unknown): boolean =>
  error instanceof VaultError && error.code === 'corrupt' && !couldNotLook(error);
