/**
 * The numeric identities under which `holdfast up`, started by root, runs its processes. They need no entry in
 * /etc/passwd; they lie in systemd's range for dynamic users (61184–65519), which no distribution hands to people.
 * In production each process has a named user of its own (deploy/).
 */
export type Account = { uid: number; gid: number; groups: readonly number[] };

/** May read vault/. */
const vaultReaders = 61710;
/** May connect to run/search.sock. */
const searchers = 61711;
/** May connect to run/own.sock. */
const ownSenders = 61720;

export const groups = { vaultReaders, searchers, ownSenders } as const;

export const accounts = {
  receiver: { uid: 61701, gid: ownSenders, groups: [] },
  keeper: { uid: 61702, gid: 61702, groups: [] },
  indexer: { uid: 61703, gid: searchers, groups: [vaultReaders] },
  console: { uid: 61704, gid: 61704, groups: [searchers, vaultReaders] },
  // Also in the host's own groups of those who may read logs: see logReaders.
  agent: { uid: 61705, gid: 61705, groups: [ownSenders] },
} as const satisfies Record<string, Account>;

export type ProcessName = keyof typeof accounts;

/** Debian's groups of those who may read the host's logs. */
const logReaderNames = ['adm', 'systemd-journal'];

/** Their numbers on this host, by group(5). */
export const logReaders = (groupFile: string): number[] =>
  groupFile.split('\n').flatMap((line) => {
    const [name = '', , gid] = line.split(':');
    return logReaderNames.includes(name) && gid !== undefined ? [Number(gid)] : [];
  });
