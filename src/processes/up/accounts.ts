/**
 * The numeric identities under which `holdfast up`, started by root, runs its processes. They need no entry in
 * /etc/passwd; they lie in systemd's range for dynamic users (61184–65519), which no distribution hands to people.
 * In production each process has a named user of its own (deploy/).
 */
export type Account = { uid: number; gid: number; groups: readonly number[] };

/** May create sockets in run/. */
const runWriters = 61700;
/** May read vault/. */
const vaultReaders = 61710;
/** May connect to run/search.sock. */
const searchers = 61711;
/** May connect to run/own.sock. */
const ownSenders = 61720;

export const groups = { runWriters, vaultReaders, searchers, ownSenders } as const;

export const accounts = {
  receiver: { uid: 61701, gid: ownSenders, groups: [runWriters] },
  keeper: { uid: 61702, gid: 61702, groups: [] },
  indexer: { uid: 61703, gid: searchers, groups: [runWriters, vaultReaders, ownSenders] },
  console: { uid: 61704, gid: 61704, groups: [searchers, vaultReaders, ownSenders] },
  agent: { uid: 61705, gid: 61705, groups: [ownSenders] },
} as const satisfies Record<string, Account>;

export type ProcessName = keyof typeof accounts;
