import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros } from '#base/clock';
import { openVault } from '#vault/read';
import { decodeRecord } from '#vault/record';
import type { KeeperAnswer, KeeperRequest } from '#vault/request';
import { decompressSegment } from '#vault/tree';
import { delivery, summary, testHead, type TestVault } from './test-vault.ts';

/** After everything that a test vault has received. */
export const before = micros(testHead.received + 1);

export const expire = (
  first: number,
  end: number,
  more: Partial<Extract<KeeperRequest, { kind: 'expire' }>> = {},
): KeeperRequest => ({
  kind: 'expire',
  entries: { first, end },
  class: 'default',
  policy: 'older-than-400d',
  before,
  by: 'J. Doe',
  ...more,
});
export const hold = (first: number, end: number): KeeperRequest => ({
  kind: 'hold',
  entries: { first, end },
  reason: 'case 7',
  by: 'counsel',
});
export const redact = (entry: number, line: number): KeeperRequest => ({
  kind: 'redact',
  entry,
  line,
  reason: 'a password',
  by: 'J. Doe',
});

/** Batches at entries 1 and 3 (0 and 2 are the keeper's starts); the intake files of both are done with. */
export const twoBatches = async (made: TestVault): Promise<void> => {
  made.receive(delivery('one\nmy secret is hunter2\nthree\n'));
  await made.keep();
  made.receive(delivery('four\nfive\n'));
  await made.keep();
  made.receive();
  await made.keep();
};

export const done = (answer: KeeperAnswer): Extract<KeeperAnswer, { done: true }> => {
  assert.ok(answer.done, JSON.stringify(answer));
  return answer;
};
export const refused = (answer: KeeperAnswer): string =>
  answer.done ? `done: ${answer.entry}` : answer.code;

export const entryAt = (made: TestVault, index: number): unknown =>
  openVault(made.vault, { vkey: made.vkey }).entries(index, index + 1)[0]?.entry;

export const assertGood = async (made: TestVault, note = ''): Promise<void> => {
  const report = await made.verify();
  assert.equal(summary(report), '', note);
  assert.equal(report.uncommitted, 0, note);
};

export const rawLine = (made: TestVault, entry: number, line: number): string => {
  const { records, offsets } = openVault(made.vault).batch(entry, 'root');
  return decodeRecord(records, offsets[line]).record.raw.toString();
};

/** Files of the state directory that hold the text, segments decompressed. */
export const filesWith = ({ root }: TestVault, text: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return (path.endsWith('.zst') ? decompressSegment(bytes) : bytes).includes(text);
    });

export const none: KeeperAnswer = { done: false, code: 'none', message: '' };

export const lockOf = ({ keys }: TestVault): string => readFileSync(join(keys, 'lock'), 'latin1');

export const untilNothingToRemove = async (made: TestVault): Promise<void> => {
  for (const end = Date.now() + 60_000; /^removing/m.test(lockOf(made)); await sleep(5))
    assert.ok(Date.now() < end);
};

export const segmentsOf = (made: TestVault): string[] =>
  made.files().filter((path) => path.startsWith('segment/'));
