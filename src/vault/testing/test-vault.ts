import assert from 'node:assert/strict';
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { TestContext } from 'node:test';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { micros, systemClock, type Clock } from '#base/clock';
import { encodeDeliveryFixed } from '#vault/intake';
import { openVault } from '#vault/read';
import { decodeRecord, encodeRecordHead, Framing, type DecodedRecord } from '#vault/record';
import { verifyVault, type VerifyReport } from '#vault/verify';
import { VaultError, type VaultErrorCode } from '../errors.ts';
import { openAppender, type Appender, type NewEntry } from '../append/appender.ts';
import { createVault } from '../append/create.ts';
import { startSequencer } from '../append/sequencer.ts';

/** A state directory for tests, with a vault of its own. Real files; removed by `remove`. */
export type TestVault = {
  root: string;
  vault: string;
  keys: string;
  intake: string;
  vkey: string;
  clock: Clock;
  /** All that `receive` has written, in order: what a receiver has acknowledged. */
  acknowledged: Buffer[];
  /** Writes deliveries into the next intake file, as a receiver that has died since would have left it. */
  receive(...deliveries: Buffer[]): string;
  /** A keeper's whole life: opens, takes what is in intake, commits, ends. */
  keep(step?: (what: string) => void): Promise<void>;
  /** The oracle. */
  verify(): Promise<VerifyReport>;
  /** Paths of all files in vault/, sorted. */
  files(): string[];
  read(path: string): Buffer;
  write(path: string, bytes: Uint8Array): void;
  /** The same state in another directory, with the same past. @param base the directory to make it in */
  copy(base?: string): TestVault;
  remove(): void;
};

/** A file system in memory where there is one: for tests that make thousands of copies. Its fsync costs nothing. */
export const inMemory = (): string => {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
};

export const testHead: Omit<DecodedRecord, 'raw'> = {
  flags: 0,
  framing: Framing.newline,
  received: micros(1_778_554_800_000_001),
  sequence: 0,
  listener: 'syslog-tcp=127.0.0.1:5514',
  peer: '192.0.2.7:51234',
  tlsName: '',
  stream: '',
  meta: '',
};

export const delivery = (body: string | Buffer, head: Partial<Omit<DecodedRecord, 'raw'>> = {}): Buffer => {
  const encoded = encodeRecordHead({ ...testHead, ...head });
  const bytes = Buffer.from(body);
  return Buffer.concat([encodeDeliveryFixed(encoded, bytes), encoded, bytes]);
};

const prefix = 'holdfast-vault-';

/** @param base the directory to make it in */
export const newTestVault = (base = tmpdir()): TestVault => {
  const root = mkdtempSync(join(base, prefix));
  mkdirSync(join(root, 'intake'));
  createVault({
    vault: join(root, 'vault'),
    keys: join(root, 'keys'),
    origin: 'test.example/holdfast/0',
    clock: systemClock(),
  });
  return testVaultAt(root);
};

/** A state directory in which a vault was made. */
export const testVaultAt = (root: string): TestVault => {
  const vkey = readFileSync(join(root, 'keys', 'vault.vkey'), 'utf8').trim();
  return testVaultIn(root, { vkey, clock: systemClock(), acknowledged: [], received: 0 });
};

/** @param received intake files so far */
const testVaultIn = (
  root: string,
  past: Pick<TestVault, 'vkey' | 'clock' | 'acknowledged'> & { received: number },
): TestVault => {
  const { vkey, clock, acknowledged } = past;
  const [vault, keys, intake] = [join(root, 'vault'), join(root, 'keys'), join(root, 'intake')];
  let next = past.received;
  return {
    root,
    vault,
    keys,
    intake,
    vkey,
    clock,
    acknowledged,
    receive(...deliveries) {
      next += 1;
      acknowledged.push(...deliveries);
      const name = `${String(next).padStart(12, '0')}-${'0123abcd'}.intake`;
      writeFileSync(join(intake, name), Buffer.concat(deliveries));
      return name;
    },
    async keep(step) {
      const faults = step === undefined ? {} : { step };
      const appender = await openAppender({ vault, keys, clock, ...faults });
      try {
        const sequencer = startSequencer({
          appender,
          intake,
          clock,
          host: 'test',
          log: () => undefined,
          ...faults,
        });
        await sequencer.stop();
      } finally {
        // As the kernel does at the end of a keeper.
        appender.close();
      }
    },
    verify: () => verifyVault({ vault, vkey, lock: join(keys, 'lock') }),
    files: () =>
      readdirSync(vault, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(vault, join(entry.parentPath, entry.name)))
        .sort(),
    read: (path) => readFileSync(join(vault, path)),
    write: (path, bytes) => writeFileSync(join(vault, path), bytes),
    copy(base = tmpdir()) {
      const other = mkdtempSync(join(base, prefix));
      cpSync(root, other, { recursive: true });
      return testVaultIn(other, { vkey, clock, acknowledged: [...acknowledged], received: next });
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
};

/** A test vault that goes when the test ends. */
export const vaultFor = (t: TestContext, base?: string): TestVault => {
  const made = newTestVault(base);
  t.after(() => made.remove());
  return made;
};

/** For tests in which nobody else ends: another keeper is not waited for. */
export const openTest = (
  { vault, keys, clock }: TestVault,
  step?: (what: string) => void,
): Promise<Appender> => openAppender({ vault, keys, clock, patienceMs: 0, ...(step ? { step } : {}) });

/** Entries that cost nothing: for logs of some size. */
export const beats = (count: number): NewEntry[] =>
  Array.from({ length: count }, () => ({ kind: 'heartbeat' }));

/** Raw bytes of every line but the manifests, in order. */
export const linesOf = ({ vault, vkey }: TestVault): string[] => {
  const reader = openVault(vault, { vkey });
  const found: string[] = [];
  for (const { index, entry } of reader.entries(0, reader.checkpoint()?.size ?? 0)) {
    if (entry.kind !== 'batch') continue;
    const { records, offsets, lineCount } = reader.batch(index, 'root');
    for (let line = 1; line < lineCount; line++) {
      found.push(decodeRecord(records, offsets[line]).record.raw.toString());
    }
  }
  return found;
};

export const assertIntact = async (made: TestVault): Promise<void> => {
  const report = await made.verify();
  assert.deepEqual(report.problems, []);
  assert.equal(report.uncommitted, 0);
  assert.equal(report.freshness.signer.says, 'the same');
};

/** For `assert.rejects` and `assert.throws`. */
export const withCode =
  (code: VaultErrorCode) =>
  (error: unknown): boolean =>
    error instanceof VaultError && error.code === code;

/** What a report says is wrong, a line for each. */
export const summary = ({ problems }: VerifyReport): string =>
  problems
    .map(({ file, lines, what }) => `${file}${lines === undefined ? '' : ` [${lines}]`}: ${what}`)
    .join('\n');

/** Puts the file back afterwards. @param bytes what is in it meanwhile; `null`: it is not there */
export const whileChanged = async (
  made: TestVault,
  path: string,
  bytes: Uint8Array | null,
  check: () => Promise<void>,
): Promise<void> => {
  const original = made.read(path);
  if (bytes === null) rmSync(join(made.vault, path));
  else made.write(path, bytes);
  try {
    await check();
  } finally {
    made.write(path, original);
  }
};
