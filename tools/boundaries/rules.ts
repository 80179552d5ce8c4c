/**
 * Who may import whom (docs/architecture.md has the reasons). `base` is open to all; a room may always import itself.
 * A name like `vault/read` is that door alone; `vault` is every door of the room.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: [],
  http: [],
  vault: [],
  'vault/verify': ['vault/record', 'vault/tree', 'vault/checkpoint'],
  'vault/prove': ['vault/record', 'vault/tree', 'vault/checkpoint'],
  probe: [],
  receive: ['wire', 'vault/intake', 'vault/record', 'pki/mailbox'],
  pki: ['wire', 'vault/durable'],
  ship: ['wire'],
  inspect: ['wire'],
  index: ['wire', 'vault/read', 'vault/record'],
  search: ['wire', 'index', 'vault/read', 'vault/record'],
  alert: ['wire', 'index', 'search', 'vault/durable'],
  publish: ['wire', 'http', 'vault/tiles', 'vault/tree', 'vault/checkpoint'],
  witness: ['wire', 'http', 'vault/tree', 'vault/checkpoint', 'vault/durable'],
  courier: ['wire', 'vault/checkpoint', 'witness'],
  advise: ['wire', 'inspect', 'probe'],
  fix: ['advise', 'inspect', 'probe', 'vault/durable'],
  console: ['wire', 'vault/read', 'vault/verify', 'advise'],
  cli: [
    'wire',
    'vault/read',
    'vault/verify',
    'vault/prove',
    'vault/export',
    'vault/fsck',
    'vault/request',
    'vault/record',
    'pki/mailbox',
    'pki/token',
    'pki/book',
    'pki/host',
    'ship',
    'inspect',
    'advise',
  ],
};

/** Rooms whose imports from these other rooms may be types alone. */
export const typesOnly: Readonly<Record<string, readonly string[]>> = {
  advise: ['inspect', 'probe', 'wire'],
};

/**
 * What a process must not be able to reach, through any chain of imports, and why. A target is a room or door, or a
 * module name (`node:…`, an npm package). `npm:*` is every package.
 */
export const mustNotReach: readonly { from: string; target: string; because: string }[] = [
  {
    from: 'processes/receiver.ts',
    target: 'vault/read',
    because: 'strangers talk to the receiver: it must not be able to read evidence',
  },
  { from: 'processes/receiver.ts', target: 'vault/append', because: 'only the keeper writes the vault' },
  {
    from: 'processes/receiver.ts',
    target: '@clickhouse/client',
    because: 'the part that strangers reach holds no database client',
  },
  {
    from: 'processes/receiver.ts',
    target: 'chdb',
    because: 'the part that strangers reach holds no database client',
  },
  {
    from: 'processes/receiver.ts',
    target: 'node:child_process',
    because: 'the part that strangers reach starts nothing',
  },
  {
    from: 'processes/receiver.ts',
    target: 'pki/issue',
    because: 'the part that strangers reach issues nothing',
  },
  {
    from: 'processes/receiver.ts',
    target: '@peculiar/x509',
    because: 'the receiver looks into no certificate request',
  },
  { from: 'processes/issuer.ts', target: 'node:http', because: 'the issuer has no network' },
  { from: 'processes/issuer.ts', target: 'vault/read', because: 'the issuer reads no line' },
  { from: 'processes/issuer.ts', target: 'vault/append', because: 'only the keeper writes the vault' },
  { from: 'processes/issuer.ts', target: 'node:child_process', because: 'the issuer starts nothing' },
  { from: 'processes/keeper.ts', target: 'node:net', because: 'the keeper has no network' },
  { from: 'processes/keeper.ts', target: 'node:http', because: 'the keeper has no network' },
  { from: 'vault/append/seal-worker.ts', target: 'node:net', because: 'the keeper has no network' },
  { from: 'processes/console.ts', target: 'fix', because: 'the console changes no host' },
  { from: 'processes/console.ts', target: 'search', because: 'the console searches over the socket alone' },
  { from: 'processes/console.ts', target: 'chdb', because: 'only the indexer opens the index' },
  { from: 'processes/console.ts', target: 'node:child_process', because: 'the console starts nothing' },
  {
    from: 'processes/publisher.ts',
    target: 'vault/read',
    because: 'strangers talk to the publisher: it must not be able to read a line',
  },
  { from: 'processes/publisher.ts', target: 'vault/verify', because: 'the verifier reads segments' },
  { from: 'processes/publisher.ts', target: 'vault/append', because: 'only the keeper writes the vault' },
  { from: 'processes/publisher.ts', target: 'vault/durable', because: 'the publisher writes nothing' },
  {
    from: 'processes/publisher.ts',
    target: 'vault/intake',
    because: 'the publisher has no business with intake',
  },
  {
    from: 'processes/publisher.ts',
    target: 'chdb',
    because: 'the part that strangers reach holds no database',
  },
  {
    from: 'processes/publisher.ts',
    target: 'node:child_process',
    because: 'the part that strangers reach starts nothing',
  },
  { from: 'processes/agent.ts', target: 'chdb', because: 'the agent must stay small' },
  { from: 'processes/courier.ts', target: 'vault/read', because: 'the courier reads no line' },
  { from: 'processes/courier.ts', target: 'vault/append', because: 'only the keeper writes the vault' },
  {
    from: 'processes/courier.ts',
    target: 'chdb',
    because: 'the courier is given what it delivers, and searches nothing',
  },
  {
    from: 'processes/courier.ts',
    target: 'alert',
    because: 'the courier delivers alerts, and evaluates none',
  },
  { from: 'processes/prober.ts', target: 'node:fs', because: 'the prober reads and writes no file' },
  { from: 'processes/prober.ts', target: 'node:child_process', because: 'the prober starts nothing' },
  { from: 'processes/indexer.ts', target: 'nodemailer', because: 'the indexer has no network' },
  { from: 'vault/verify', target: 'npm:*', because: 'an auditor reads the verifier in one sitting' },
  { from: 'vault/prove', target: 'npm:*', because: 'an auditor reads the checker of proofs in one sitting' },
];

/**
 * What is started by itself, and whose whole import closure is committed in `closures/` and compared: the composition
 * roots, and the threads that some of them load by URL, which no import shows.
 */
export const entryPoints = {
  receiver: 'src/processes/receiver.ts',
  keeper: 'src/processes/keeper.ts',
  indexer: 'src/processes/indexer.ts',
  console: 'src/processes/console.ts',
  agent: 'src/processes/agent.ts',
  publisher: 'src/processes/publisher.ts',
  courier: 'src/processes/courier.ts',
  issuer: 'src/processes/issuer.ts',
  prober: 'src/processes/prober.ts',
  host: 'src/processes/host.ts',
  prepare: 'src/processes/units/prepare.ts',
  'create-vault': 'src/processes/units/create-vault.ts',
  holdfast: 'src/processes/holdfast.ts',
  'project-worker': 'src/index/project/project-worker.ts',
  'seal-worker': 'src/vault/append/seal-worker.ts',
  'segment-thread': 'src/vault/verify/segment-thread.ts',
} as const;

/** Doors of a room that are named one by one above. */
const doors: Readonly<Record<string, readonly string[]>> = {
  vault: [
    'record',
    'testing',
    'intake',
    'durable',
    'tree',
    'checkpoint',
    'append',
    'read',
    'tiles',
    'verify',
    'prove',
    'export',
    'fsck',
    'request',
  ],
  pki: ['mailbox', 'token', 'book', 'issue', 'host'],
};

/** Import specifiers (globs, as in oxlint's `no-restricted-imports`) that files of `room` must not use. */
export const forbiddenSpecifiers = (room: string): { group: string[]; message: string }[] => {
  const allowed = new Set(['base', room, ...(mayImport[room] ?? [])]);
  const rules: { group: string[]; message: string }[] = [];
  for (const other of Object.keys(mayImport).filter((name) => !name.includes('/'))) {
    if (other === room || allowed.has(other) || (room.startsWith(`${other}/`) && doors[other] === undefined))
      continue;
    const open = (doors[other] ?? []).filter(
      (door) => allowed.has(`${other}/${door}`) || room === `${other}/${door}`,
    );
    const group =
      doors[other] === undefined
        ? [`#${other}`, `#${other}/*`, `**/${other}/**`]
        : (doors[other] ?? [])
            .filter((door) => !open.includes(door))
            .flatMap((door) => [`#${other}/${door}`, `../${door}/*`, `**/${other}/${door}/**`]);
    rules.push({ group, message: `${room} must not import ${other}: see tools/boundaries/rules.ts` });
  }
  rules.push({ group: ['**/processes/**'], message: 'nobody imports processes' });
  return rules;
};
