import type { EntryRead, VaultSource } from './vault-source.ts';

type Outcome = { read: EntryRead } | { error: unknown };

/**
 * Reads a vault's entries in their order, each while the one before it is worked on. One is for one way through the vault:
 * what was read ahead is as old as that.
 * @param size no entry from this one on is read
 */
export const readAhead = (vault: Pick<VaultSource, 'read'>, size: number): Pick<VaultSource, 'read'> => {
  let ahead: { entry: number; outcome: Promise<Outcome> } | null = null;

  const start = (entry: number, tries: number | undefined): Promise<Outcome> =>
    vault.read(entry, tries).then(
      (read) => ({ read }),
      (error: unknown) => ({ error }),
    );

  return {
    async read(entry, tries) {
      const outcome = await (ahead?.entry === entry ? ahead.outcome : start(entry, tries));
      ahead = entry + 1 < size ? { entry: entry + 1, outcome: start(entry + 1, tries) } : null;
      if ('error' in outcome) throw outcome.error;
      return outcome.read;
    },
  };
};
