/**
 * The numeric identities under which `holdfast up` and `holdfast witness`, started by root, run. They need no entry in
 * /etc/passwd; they lie in systemd's range for dynamic users (61184–65519), which no distribution hands to people.
 * In production each process has a named user of its own (deploy/).
 */
export type Account = { uid: number; gid: number; groups: readonly number[] };

/** May read vault/, but for its segments and its staging: checkpoints, tiles, entries; no line. */
const vaultReaders = 61710;
/** May read vault/segment too: the lines. */
const segmentReaders = 61712;
/** May connect to run/search.sock. */
const searchers = 61711;
/** May connect to run/publisher/publish.sock. */
const witnessing = 61713;
/** May ask the issuer for certificates for others, in pki/asked. */
const enrolling = 61714;
/** May connect to run/own.sock. */
const ownSenders = 61720;

export const groups = { vaultReaders, segmentReaders, searchers, witnessing, enrolling, ownSenders } as const;

export const accounts = {
  receiver: { uid: 61701, gid: ownSenders, groups: [enrolling] },
  keeper: { uid: 61702, gid: 61702, groups: [] },
  indexer: { uid: 61703, gid: searchers, groups: [vaultReaders, segmentReaders, ownSenders] },
  console: { uid: 61704, gid: 61704, groups: [searchers, vaultReaders, segmentReaders] },
  // Also in the host's own groups of those who may read logs: see logReaders.
  agent: { uid: 61705, gid: 61705, groups: [witnessing, ownSenders] },
  // What it hands to the receiver are cosignatures and contradictions.
  publisher: { uid: 61706, gid: witnessing, groups: [vaultReaders, ownSenders] },
  // Reads the vault over the publisher's socket.
  courier: { uid: 61707, gid: 61707, groups: [witnessing, ownSenders] },
  // Its group is that of who asks it, so that each can read what the other writes.
  issuer: { uid: 61709, gid: enrolling, groups: [ownSenders] },
  // Started by itself. On the host of a log it may ask the publisher's socket.
  witness: { uid: 61708, gid: 61708, groups: [witnessing] },
  // Started by `services probe`.
  prober: { uid: 61715, gid: 61715, groups: [] },
} as const satisfies Record<string, Account>;

export type AccountName = keyof typeof accounts;
/** Those that `up` starts. */
export type ProcessName = Exclude<AccountName, 'witness' | 'prober'>;

/** Debian's groups of those who may read the host's logs. */
const logReaderNames = ['adm', 'systemd-journal'];

/** Their numbers on this host, by group(5). */
export const logReaders = (groupFile: string): number[] =>
  groupFile.split('\n').flatMap((line) => {
    const [name = '', , gid] = line.split(':');
    return logReaderNames.includes(name) && gid !== undefined ? [Number(gid)] : [];
  });
