import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accounts, logReaders, type AccountName, type ProcessName } from './accounts.ts';
import { closedParent } from './layout.ts';

/**
 * How root starts a process with no more than its row in docs/architecture.md: an unprivileged uid, no capabilities
 * beyond those listed, no way to gain any (no_new_privs), and a network namespace of its own, without even a loopback
 * that is up, where the row says "network: none". Done with util-linux' `unshare` and `setpriv`, which every Debian
 * system has.
 */
type Privileges = {
  network: 'host' | 'none';
  capabilities: readonly Capability[];
};

const privileges: Record<AccountName, Privileges> = {
  receiver: { network: 'host', capabilities: [] },
  keeper: { network: 'none', capabilities: [] },
  indexer: { network: 'none', capabilities: [] },
  console: { network: 'host', capabilities: [] },
  // The kernel ring alone. It reads log files as a member of the host's groups for that; CAP_DAC_READ_SEARCH would let
  // whoever takes it over read every file, keys included, and CAP_SYS_PTRACE would make it root.
  agent: { network: 'none', capabilities: ['syslog'] },
  publisher: { network: 'host', capabilities: [] },
  courier: { network: 'host', capabilities: [] },
  issuer: { network: 'none', capabilities: [] },
  witness: { network: 'host', capabilities: [] },
  prober: { network: 'host', capabilities: [] },
};

/** What of the fence this machine lets root set up; many containers do not. */
export type FenceAbilities = {
  networkNamespaces: boolean;
  mountNamespaces: boolean;
  /** Capabilities that this process may hand on (its effective set). */
  capabilities: ReadonlySet<Capability>;
  /** Where the code can be read by others; else it is bind-mounted for each process in its own mount namespace. */
  codeReadable: boolean;
};

/** Bits of capability.h for those that some process keeps. */
const capabilityBits = { net_bind_service: 10n, syslog: 34n } as const;
/** Those that some process keeps. */
export type Capability = keyof typeof capabilityBits;

const ownCapabilities = (): ReadonlySet<Capability> => {
  const effective = BigInt(
    `0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  return new Set(capabilityNames.filter((name) => (effective & (1n << capabilityBits[name])) !== 0n));
};

const capabilityNames: readonly Capability[] = ['net_bind_service', 'syslog'];

const canUnshare = (...flags: string[]): boolean => spawnSync('unshare', [...flags, 'true']).status === 0;

export const probeFence = (root: string): FenceAbilities => ({
  networkNamespaces: canUnshare('--net'),
  mountNamespaces: canUnshare('--mount', '--propagation', 'slave'),
  capabilities: ownCapabilities(),
  codeReadable: closedParent(root) === null,
});

export type Command = { file: string; args: string[]; cwd: string };

/** The command that starts `name` unfenced, as the user that `up` runs as. */
export const plainCommand = (root: string, name: ProcessName, config: string): Command => ({
  file: process.execPath,
  args: nodeArguments(root, { module: name, args: [config] }),
  cwd: '/',
});

/** A module of src/processes, and what it is started with. */
type Program = { module: string; args: readonly string[] };

const nodeArguments = (root: string, { module, args }: Program): string[] => [
  '--disable-warning=ExperimentalWarning',
  join(root, 'src', 'processes', `${module}.ts`),
  ...args,
];

/** Supplementary groups of a process; the agent's are also the host's own groups of those who may read logs. */
export const groupsOf = (name: AccountName): number[] => [
  ...accounts[name].groups,
  ...(name === 'agent' ? logReaders(readFileSync('/etc/group', 'utf8')) : []),
];

/**
 * The arguments of setpriv(1) that make a process `name`: its uid, gid, groups and capabilities, and no way to more.
 */
export const identity = (
  name: AccountName,
  abilities: FenceAbilities,
  extra: readonly Capability[] = [],
): string[] => {
  const { uid, gid } = accounts[name];
  const all = groupsOf(name);
  const kept = [...privileges[name].capabilities, ...extra].filter((capability) =>
    abilities.capabilities.has(capability),
  );
  const set = ['-all', ...kept.map((capability) => `+${capability}`)].join(',');
  return [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    all.length === 0 ? '--clear-groups' : `--groups=${all.join(',')}`,
    '--no-new-privs',
    `--inh-caps=${set}`,
    `--ambient-caps=${set}`,
    `--bounding-set=${set}`,
  ];
};

/** How a start differs from its row. */
export type Asked = {
  /** E.g. for a port below 1024. */
  extra?: readonly Capability[];
  /** Where it is to use another than the one of its row. */
  network?: 'none' | 'host';
};

/**
 * The command that starts `name` fenced.
 * @param root the project's directory
 * @param codeMount an empty directory (root's) where the code may be bind-mounted
 */
export const fencedCommand = (
  root: string,
  name: ProcessName,
  config: string,
  abilities: FenceAbilities,
  codeMount: string,
  asked: Asked,
): Command => fencedProgram(root, name, { module: name, args: [config] }, abilities, codeMount, asked);

/** The same for any of our programs, under the identity `name`. */
export const fencedProgram = (
  root: string,
  name: AccountName,
  program: Program,
  abilities: FenceAbilities,
  codeMount: string,
  asked: Asked,
): Command => {
  const bind = needsCodeMount(abilities);
  const home = bind ? codeMount : root;
  const node =
    bind && process.execPath.startsWith(root)
      ? join(codeMount, process.execPath.slice(root.length))
      : process.execPath;
  const setpriv = [
    'setpriv',
    ...identity(name, abilities, asked.extra),
    '--',
    node,
    ...nodeArguments(home, program),
  ];
  const unshare = [
    ...((asked.network ?? privileges[name].network) === 'none' && abilities.networkNamespaces
      ? ['--net']
      : []),
    ...(bind ? ['--mount', '--propagation', 'slave'] : []),
  ];
  if (unshare.length === 0) return { file: 'setpriv', args: setpriv.slice(1), cwd: '/' };
  const inner = bind
    ? ['sh', '-c', 'mount --bind "$1" "$2" && shift 2 && exec "$@"', 'sh', root, codeMount, ...setpriv]
    : setpriv;
  return { file: 'unshare', args: [...unshare, '--', ...inner], cwd: '/' };
};

/** Whether the code can be read by others only where it is mounted for them. */
export const needsCodeMount = ({ codeReadable, mountNamespaces }: FenceAbilities): boolean =>
  !codeReadable && mountNamespaces;

/** What could not be fenced here, or is missing, for the person who started it; empty when all rows hold. */
export const fenceGaps = (abilities: FenceAbilities): string[] => {
  const missing = privileges.agent.capabilities.filter(
    (capability) => !abilities.capabilities.has(capability),
  );
  return [
    ...(abilities.networkNamespaces
      ? []
      : [
          'this machine does not let root make network namespaces, so keeper, indexer, agent, issuer and publisher share the host’s (they open no socket on it that is not configured)',
        ]),
    ...(missing.length === 0
      ? []
      : [
          `root has not ${missing.map((name) => `CAP_${name.toUpperCase()}`).join(', ')} here (a container?), so the agent cannot read the kernel log`,
        ]),
  ];
};
