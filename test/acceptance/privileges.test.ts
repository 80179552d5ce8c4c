import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accounts, groups, type AccountName, type ProcessName } from '../../src/processes/up/accounts.ts';
import { groupsOf, identity, probeFence } from '../../src/processes/up/fence.ts';
import { closeLines } from '../../src/processes/up/layout.ts';
import {
  removeState,
  root,
  run,
  search,
  startUp,
  temporaryState,
  until,
  type RunningUp,
} from '../harness/up.ts';

/** Rows of the table of docs/architecture.md, tried on a running `holdfast up`. */
const skip = process.getuid?.() === 0 ? false : 'only root can give each process a user of its own';
const state = temporaryState();
let up: RunningUp;

before(async () => {
  if (skip !== false) return;
  up = await startUp(state, ['--listen', 'https=127.0.0.1:0']);
  await until('the first batch is in the vault', () => existsSync(segment()));
});

after(async () => {
  if (skip === false) await up.interrupt();
  removeState(state);
});

const pidOf = (name: ProcessName): number => up.ready().processes[name]?.pid ?? 0;

const statusOf = (name: ProcessName): Map<string, string> =>
  new Map(
    readFileSync(`/proc/${pidOf(name)}/status`, 'utf8')
      .split('\n')
      .map((line) => [line.split(':')[0] ?? '', line.split(':')[1]?.trim() ?? '']),
  );

const capabilities: Record<ProcessName, bigint> = {
  receiver: 0n,
  keeper: 0n,
  indexer: 0n,
  console: 0n,
  // CAP_SYSLOG, capability.h
  agent: 1n << 34n,
  publisher: 0n,
  courier: 0n,
  issuer: 0n,
};

/** Not started unless it is configured; what its identity may do is tried all the same. */
const running = (Object.keys(capabilities) as ProcessName[]).filter((name) => name !== 'courier');

for (const name of running) {
  test(`${name} runs as its own user, with its capabilities alone, and can gain none`, { skip }, () => {
    const status = statusOf(name);
    assert.equal(status.get('Uid'), Array(4).fill(accounts[name].uid).join('\t'));
    for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
      assert.equal(BigInt(`0x${status.get(set)}`), capabilities[name], set);
    assert.equal(status.get('NoNewPrivs'), '1');
    assert.deepEqual(
      (status.get('Groups') ?? '').split(' ').filter(Boolean).map(Number),
      groupsOf(name).toSorted((a, b) => a - b),
    );
  });
}

// The publisher has one where --publish asks for it: publisher.test.ts.
for (const name of ['keeper', 'indexer', 'agent', 'publisher', 'issuer'] as const) {
  test(`${name} has no network`, { skip }, (context) => {
    if (spawnSync('unshare', ['--mount', '--net', 'true']).status !== 0)
      return context.skip('this machine lets root make no namespaces');
    assert.notEqual(readlinkSync(`/proc/${pidOf(name)}/ns/net`), readlinkSync('/proc/self/ns/net'));
    const interfaces = readFileSync(`/proc/${pidOf(name)}/net/dev`, 'utf8')
      .trim()
      .split('\n')
      .slice(2);
    assert.deepEqual(
      interfaces
        .map((line) => line.split(':')[0]?.trim())
        .filter(
          (device) =>
            device !== 'lo' && !/^(ifb|tunl|sit|ip6tnl|gre|erspan|ip_vti|ip6_vti)/.test(device ?? ''),
        ),
      [],
    );
    return undefined;
  });
}

/** Whether a process may do something with a path, as the kernel decides it: tried with its uid, groups and capabilities. */
const may = (name: AccountName, script: string, ...paths: string[]): boolean =>
  spawnSync('setpriv', [...identity(name, probeFence(root)), 'sh', '-c', script, 'sh', ...paths]).status ===
  0;

const read = 'if [ -d "$1" ]; then ls "$1"; else cat "$1"; fi >/dev/null 2>&1';
const write = 'touch "$1/planted" 2>/dev/null && rm "$1/planted"';
const dial = `exec ${process.execPath} -e 'require("net").connect(process.argv[1]).on("connect", () => process.exit(0)).on("error", () => process.exit(1))' "$1"`;

const segments = join(state.vault, 'segment');
const staging = join(state.vault, 'staging');
const readers = join(state.run, 'indexer', 'readers');
const segment = (): string => join(segments, '001.zst');

const rows: readonly [AccountName, string, 'may' | 'may not', () => string[]][] = [
  ['receiver', write, 'may', () => [state.intake]],
  ['receiver', read, 'may not', () => [state.vault]],
  ['receiver', read, 'may not', () => [join(state.keys, 'signer.key')]],
  ['receiver', read, 'may not', () => [state.index]],
  ['receiver', read, 'may not', () => [state.spool]],
  ['receiver', write, 'may not', () => [state.run]],
  ['receiver', write, 'may not', () => [state.root]],
  ['receiver', dial, 'may not', () => [state.searchSocket]],
  ['keeper', write, 'may', () => [state.vault]],
  ['keeper', read, 'may', () => [state.intake]],
  ['keeper', read, 'may not', () => [state.index]],
  ['keeper', dial, 'may not', () => [state.searchSocket]],
  ['indexer', read, 'may', () => [state.vault]],
  ['indexer', write, 'may not', () => [state.vault]],
  ['indexer', write, 'may', () => [state.index]],
  ['indexer', write, 'may not', () => [state.run]],
  ['indexer', dial, 'may', () => [state.ownSocket]],
  ['indexer', write, 'may', () => [state.outbox]],
  ['indexer', write, 'may', () => [readers]],
  ['indexer', write, 'may', () => [state.alerts]],
  ['indexer', read, 'may not', () => [state.intake]],
  ['indexer', read, 'may not', () => [join(state.keys, 'signer.key')]],
  ['console', dial, 'may', () => [state.searchSocket]],
  ['console', read, 'may', () => [state.vault]],
  ['console', write, 'may not', () => [state.vault]],
  ['console', write, 'may not', () => [state.run]],
  ['console', write, 'may', () => [readers]],
  ['console', read, 'may not', () => [readers]],
  ['console', read, 'may not', () => [state.outbox]],
  ['console', dial, 'may not', () => [state.ownSocket]],
  ['console', read, 'may not', () => [state.intake]],
  ['console', read, 'may not', () => [state.index]],
  ['console', read, 'may not', () => [join(state.keys, 'signer.key')]],
  ['agent', write, 'may', () => [state.spool]],
  ['agent', write, 'may not', () => [state.intake]],
  ['agent', write, 'may not', () => [state.vault]],
  ['agent', write, 'may not', () => [state.run]],
  ['agent', read, 'may not', () => [state.vault]],
  ['agent', read, 'may not', () => [state.intake]],
  ['agent', read, 'may not', () => [state.index]],
  ['agent', read, 'may not', () => [join(state.keys, 'signer.key')]],
  ['agent', read, 'may not', () => ['/etc/shadow']],
  ['agent', dial, 'may', () => [state.ownSocket]],
  ['agent', dial, 'may not', () => [state.searchSocket]],
  ['agent', write, 'may not', () => [readers]],
  ['agent', dial, 'may', () => [state.publishSocket]],
  ['agent', write, 'may not', () => [join(state.run, 'publisher')]],
  ['keeper', write, 'may', () => [staging]],
  ['keeper', write, 'may', () => [segments]],
  ['indexer', read, 'may', () => [segments]],
  ['indexer', read, 'may', () => [segment()]],
  ['console', read, 'may', () => [segment()]],
  ['publisher', read, 'may', () => [join(state.vault, 'checkpoint')]],
  ['publisher', read, 'may', () => [join(state.vault, 'tile')]],
  ['publisher', read, 'may', () => [join(state.vault, 'tile', 'entries')]],
  ['publisher', read, 'may', () => [join(state.vault, 'history', '000')]],
  ['publisher', read, 'may', () => [state.vkeyFile]],
  ['publisher', dial, 'may', () => [state.ownSocket]],
  ['publisher', write, 'may', () => [join(state.run, 'publisher')]],
  ['publisher', read, 'may not', () => [segments]],
  ['publisher', read, 'may not', () => [segment()]],
  ['publisher', read, 'may not', () => [staging]],
  ['publisher', read, 'may not', () => [join(state.keys, 'signer.key')]],
  ['publisher', read, 'may not', () => [state.intake]],
  ['publisher', read, 'may not', () => [state.index]],
  ['publisher', read, 'may not', () => [state.spool]],
  ['publisher', read, 'may not', () => [state.feeds]],
  ['publisher', dial, 'may not', () => [state.searchSocket]],
  ...(
    [
      state.root,
      state.run,
      state.vault,
      segments,
      staging,
      join(state.vault, 'tile'),
      join(state.vault, 'history'),
      state.keys,
      state.intake,
      state.index,
      state.spool,
      state.feeds,
    ] as const
  ).map((path): (typeof rows)[number] => ['publisher', write, 'may not', () => [path]]),
  ['courier', write, 'may', () => [state.feeds]],
  ['courier', read, 'may', () => [state.alerts]],
  ['courier', write, 'may not', () => [state.alerts]],
  ...(['receiver', 'agent', 'console', 'publisher', 'issuer'] as const).map((name): (typeof rows)[number] => [
    name,
    read,
    'may not',
    () => [state.alerts],
  ]),
  ['courier', dial, 'may', () => [state.ownSocket]],
  ['courier', dial, 'may', () => [state.publishSocket]],
  ['courier', dial, 'may not', () => [state.searchSocket]],
  ['courier', write, 'may not', () => [state.run]],
  ['courier', write, 'may not', () => [join(state.run, 'publisher')]],
  ['courier', write, 'may not', () => [state.vault]],
  ['courier', write, 'may not', () => [state.spool]],
  ['courier', read, 'may not', () => [state.vault]],
  ['courier', read, 'may not', () => [state.intake]],
  ['courier', read, 'may not', () => [state.index]],
  ['courier', read, 'may not', () => [join(state.keys, 'signer.key')]],
  ['receiver', read, 'may', () => [join(state.pki, 'server.key')]],
  ['receiver', read, 'may', () => [join(state.pki, 'issued', 'server.crt')]],
  ['receiver', write, 'may', () => [join(state.pki, 'asked')]],
  ['receiver', read, 'may not', () => [join(state.pki, 'issuer')]],
  ['receiver', read, 'may not', () => [join(state.pki, 'issuer', 'authority.key')]],
  ['receiver', write, 'may not', () => [join(state.pki, 'issued')]],
  ['receiver', write, 'may not', () => [state.pki]],
  ['issuer', read, 'may', () => [join(state.pki, 'issuer', 'authority.key')]],
  ['issuer', write, 'may', () => [join(state.pki, 'issued')]],
  ['issuer', write, 'may', () => [join(state.pki, 'asked')]],
  ['issuer', dial, 'may', () => [state.ownSocket]],
  ['issuer', dial, 'may not', () => [state.searchSocket]],
  ['issuer', dial, 'may not', () => [state.publishSocket]],
  ['issuer', read, 'may not', () => [join(state.pki, 'server.key')]],
  ['issuer', read, 'may not', () => [join(state.keys, 'signer.key')]],
  ...[state.vault, state.intake, state.index, state.spool, state.feeds].map((path): (typeof rows)[number] => [
    'issuer',
    read,
    'may not',
    () => [path],
  ]),
  ...[state.root, state.run, state.pki, state.vault, state.keys, state.intake].map(
    (path): (typeof rows)[number] => ['issuer', write, 'may not', () => [path]],
  ),
  ['witness', dial, 'may', () => [state.publishSocket]],
  ['witness', dial, 'may not', () => [state.ownSocket]],
  ['witness', dial, 'may not', () => [state.searchSocket]],
  ...[state.root, state.run, join(state.run, 'publisher'), state.vault, state.keys].map(
    (path): (typeof rows)[number] => ['witness', write, 'may not', () => [path]],
  ),
  ...[state.vault, state.intake, state.index, state.spool, join(state.keys, 'signer.key')].map(
    (path): (typeof rows)[number] => ['witness', read, 'may not', () => [path]],
  ),
];

for (const [name, action, expected, paths] of rows) {
  const verb = action === read ? 'read' : action === write ? 'write in' : 'connect to';
  test(
    `${name} ${expected} ${verb} ${paths()
      .map((path) => path.replace(`${state.root}/`, ''))
      .join(' ')}`,
    { skip },
    () => {
      assert.equal(may(name, action, ...paths()), expected === 'may');
    },
  );
}

test('the token of the console is readable by the console alone', { skip }, () => {
  const token = join(state.run, 'console.token');
  assert.equal(may('console', read, token), true);
  for (const name of (Object.keys(accounts) as AccountName[]).filter((one) => one !== 'console'))
    assert.equal(may(name, read, token), false, name);
});

test('only the receiver reads its key, and only the issuer the authority’s', { skip }, () => {
  for (const [reader, file] of [
    ['receiver', join(state.pki, 'server.key')],
    ['issuer', join(state.pki, 'issuer', 'authority.key')],
    ['issuer', join(state.pki, 'issuer', 'book.jsonl')],
  ] as const)
    for (const name of Object.keys(accounts) as AccountName[])
      assert.equal(may(name, read, file), name === reader, `${name} ${file}`);
});

test('a vault from before lines had a group of their own is closed at the next start', { skip }, () => {
  chownSync(segments, accounts.keeper.uid, groups.vaultReaders);
  chmodSync(staging, 0o2750);
  for (const path of [segments, segment(), staging]) assert.equal(may('publisher', read, path), true, path);
  closeLines(state);
  for (const path of [segments, segment(), staging]) assert.equal(may('publisher', read, path), false, path);
  for (const path of [segments, segment()]) assert.equal(may('indexer', read, path), true, path);
  for (const path of [segments, staging]) assert.equal(may('keeper', write, path), true, path);
});

test('no process may reach into another user’s: not the agent into one of root’s', { skip }, () => {
  const peek = `exec ${process.execPath} -e 'require("fs").readlinkSync("/proc/" + process.argv[1] + "/exe")' "$1"`;
  for (const name of Object.keys(accounts) as AccountName[])
    assert.equal(may(name, peek, String(process.pid)), false, name);
});

test(
  'all of it works so: the vault verifies, and the agent’s start and the facts of this host are in the log',
  { skip },
  async () => {
    await until(
      'the agent has said that it started',
      () => search(state, 'app:holdfast kind=start').hits.length > 0,
    );
    await until(
      'the facts are in the log',
      () => search(state, 'app:holdfast via:fact listener').hits.length > 0,
    );
    assert.equal(run('vault', 'verify', '--state', state.root).status, 0);
  },
);
