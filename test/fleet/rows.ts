import type { ProcessName } from '../../src/processes/up/accounts.ts';

/** The table of docs/architecture.md as things to be tried, and who may do which. */
export type UnitName = ProcessName;

export const state = '/var/lib/holdfast';

/** Those that run where listeners speak TLS and nothing is to be brought anywhere. */
export const running: readonly UnitName[] = [
  'receiver',
  'keeper',
  'issuer',
  'indexer',
  'console',
  'publisher',
  'agent',
];
export const all: readonly UnitName[] = [...running, 'courier'];

export type Attempt = readonly [action: string, target: string];

export const at = (path: string): string => (path === '' ? state : `${state}/${path}`);

/** Port of a listener on another machine. */
export const stranger = 7700;

/** Everything that is tried. @param segment a file with lines, below the state directory */
export const attempts = (segment: string, elsewhere: string, supervisor: number): readonly Attempt[] => [
  ...['intake', 'vault', 'vault/checkpoint', 'vault/tile', segment, 'vault/staging', 'keys/vault.vkey'].map(
    (path) => ['read', at(path)] as const,
  ),
  ...[
    'keys/signer.key',
    'index',
    'spool',
    'feeds',
    'outbox',
    'alerts',
    'run/audit.json',
    'run/facts.json',
    'run/console.token',
    'pki/server.key',
    'pki/issuer',
    'pki/issuer/authority.key',
    'pki/issued/authority.crt',
    'pki/asked',
  ].map((path) => ['read', at(path)] as const),
  ...['/var/log/journal', '/etc/shadow', '/root', '/var/lib/dpkg/status'].map(
    (path) => ['read', path] as const,
  ),
  ...[
    '',
    'intake',
    'vault',
    'vault/segment',
    'index',
    'keys',
    'spool',
    'feeds',
    'outbox',
    'alerts',
    'run',
    'run/receiver',
    'run/indexer',
    'run/indexer/readers',
    'run/publisher',
    'pki',
    'pki/issuer',
    'pki/issued',
    'pki/asked',
  ].map((path) => ['write', at(path)] as const),
  ...['/etc', '/opt/holdfast', '/var/log', '/run/holdfast', '/tmp'].map((path) => ['write', path] as const),
  ...['run/own.sock', 'run/search.sock', 'run/publisher/publish.sock'].map(
    (path) => ['connect to', at(path)] as const,
  ),
  ['connect to', '127.0.0.1:5514'],
  ['connect to', `${elsewhere}:${stranger}`],
  ['send a datagram to', `${elsewhere}:${stranger}`],
  ['listen on', '127.0.0.1'],
  ['listen on', '0.0.0.0'],
  ['see process', String(supervisor)],
  ['run a file from', '/tmp'],
  ['become', '0'],
];

/** The rows: what a process may, and so nothing else. `SEGMENT` stands for a file with lines. */
export const rows: Readonly<Record<UnitName, readonly string[]>> = {
  receiver: [
    'read intake',
    'write intake',
    'write run/receiver',
    'read pki/server.key',
    'read pki/issued/authority.crt',
    'read pki/asked',
    'write pki/asked',
    'listen on 127.0.0.1',
    'listen on 0.0.0.0',
    // An answer to a datagram is no different for the kernel; a connection it cannot make.
    'send a datagram to STRANGER',
  ],
  keeper: [
    'read intake',
    'write intake',
    'read vault',
    'read vault/checkpoint',
    'read vault/tile',
    'read SEGMENT',
    'read vault/staging',
    'write vault',
    'write vault/segment',
    'read keys/vault.vkey',
    'read keys/signer.key',
    'write keys',
  ],
  issuer: [
    'read pki/issuer',
    'read pki/issuer/authority.key',
    'read pki/issued/authority.crt',
    'read pki/asked',
    'write pki/issuer',
    'write pki/issued',
    'write pki/asked',
    'connect to run/own.sock',
  ],
  indexer: [
    'read vault',
    'read vault/checkpoint',
    'read vault/tile',
    'read SEGMENT',
    'read keys/vault.vkey',
    'read index',
    'write index',
    // Who read what goes to the receiver, and waits here for it.
    'read outbox',
    'write outbox',
    'connect to run/own.sock',
    'write run/indexer',
    'write run/indexer/readers',
    'read alerts',
    'write alerts',
    // Its own.
    'connect to run/search.sock',
  ],
  console: [
    'read vault',
    'read vault/checkpoint',
    'read vault/tile',
    'read SEGMENT',
    'read keys/vault.vkey',
    'read run/audit.json',
    'read run/console.token',
    'connect to run/search.sock',
    // What it makes there shows whose it is; it can list nothing and touch nobody else's.
    'write run/indexer/readers',
    'listen on 127.0.0.1',
    // It listens where it is told; who is not on this machine is not heard: IPAddressDeny.
    'listen on 0.0.0.0',
    // Local services can be dialled by whoever may answer on loopback.
    'connect to 127.0.0.1:5514',
  ],
  publisher: [
    'read vault',
    'read vault/checkpoint',
    'read vault/tile',
    'read keys/vault.vkey',
    'write run/publisher',
    'connect to run/own.sock',
    'connect to run/publisher/publish.sock',
  ],
  courier: [
    'read keys/vault.vkey',
    'read feeds',
    'write feeds',
    'read alerts',
    'connect to run/own.sock',
    'connect to run/publisher/publish.sock',
    'connect to 127.0.0.1:5514',
    'connect to STRANGER',
    'send a datagram to STRANGER',
  ],
  agent: [
    'read keys/vault.vkey',
    'read spool',
    'write spool',
    'read run/facts.json',
    'read /var/log/journal',
    'connect to run/own.sock',
    'connect to run/publisher/publish.sock',
  ],
};
export const everybody = ['write /tmp'];
