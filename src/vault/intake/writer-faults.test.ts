import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { openVault } from '#vault/read';
import { decodeRecord, encodeRecordHead, Framing } from '#vault/record';
import { shuffled } from '../testing/fault-run.ts';
import { watchCalls, type Call, type Verdict } from '../testing/faulty-calls.ts';
import { inMemory, newTestVault, testHead, type TestVault } from '../testing/test-vault.ts';
import { openIntakeReader } from './reader.ts';
import { senderNames } from './parse-delivery.ts';
import { openIntakeWriter, type IntakeWriter, type PendingDelivery } from './writer.ts';
import { isIntakeName } from './position.ts';

/**
 * Every call by which the intake writer changes a file fails once, at every occurrence, in every way; the receiver goes
 * on or dies; then another one begins on the same directory, and its senders send again what was not acknowledged.
 * HOLDFAST_TEST_FULL=1 for all of them, else a sample; HOLDFAST_TEST_SEED for another one.
 */
const isFull = process.env['HOLDFAST_TEST_FULL'] === '1';
const seed = Number(process.env['HOLDFAST_TEST_SEED'] ?? 1);
const sample = 60;

/** Lines that go into one group, or each into its own, which is written while the fdatasync before runs. */
const groupings = { together: 8 * 1024 * 1024, overlapping: 150 } as const;

const head = encodeRecordHead({ ...testHead, listener: 'test', peer: 'sender' });
const alarmHead = encodeRecordHead({ ...testHead, listener: 'receiver', peer: 'receiver' });

const line = (of: Buffer, sequence: number, text: string, durable: (() => void) | null): PendingDelivery => ({
  head: of,
  received: testHead.received,
  sequence,
  flags: 0,
  body: [Buffer.from(`${text}\n`)],
  bodyLength: Buffer.byteLength(text) + 1,
  durable,
  sealed: false,
});

/** What the senders know: which of their numbers were acknowledged, by the first writer and by any. */
type Senders = { acknowledged: Set<number>; byFirst: Set<number> };

const last = 12;

/** One life of a receiver: its senders send what is not acknowledged, three at a time. @returns the fault that ended it */
const live = async (
  dir: string,
  senders: Senders,
  first: 'first' | 'later',
  groupBytes: number,
): Promise<Error | null> => {
  const seen: { fault: Error | null; left: number } = { fault: null, left: 0 };
  let intake: IntakeWriter;
  try {
    intake = await openIntakeWriter({
      dir,
      clock: systemClock(),
      maxFileBytes: 600,
      groupBytes,
      retryMs: 5,
      reserve: {
        bytes: 64 * 1024,
        lookEveryMs: 60_000,
        full: () => line(alarmHead, 0, 'alarm', null),
        closed: (left) => line(alarmHead, 0, `left ${left.length}`, null),
      },
      onFault(error) {
        seen.fault = error;
      },
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const sent = Array.from({ length: last }, (_, i) => i + 1).filter((n) => !senders.acknowledged.has(n));
  for (let at = 0; at < sent.length && seen.fault === null; at += 3) {
    const group = sent.slice(at, at + 3);
    seen.left = group.length;
    for (const number of group) {
      const acknowledge = (): void => {
        assert.equal(seen.fault, null, 'acknowledged after a fault');
        seen.left -= 1;
        senders.acknowledged.add(number);
        if (first === 'first') senders.byFirst.add(number);
      };
      intake.enqueue(line(head, number, `line ${number} ${'.'.repeat(100)}`, acknowledge));
    }
    for (let waited = 0; seen.left > 0 && seen.fault === null && waited < 3000; waited += 1) await wait(1);
  }
  await intake.close().catch((error: unknown) => {
    seen.fault ??= error instanceof Error ? error : new Error(String(error));
  });
  return seen.fault;
};

type Fault = { at: number; call: Call; verdict: Exclude<Verdict, 'run'> };

const describeFault = ({ at, call, verdict }: Fault): string =>
  `${verdict.code} ${verdict.how} at call ${at}, ${call.name.replace(/-[0-9a-f]{8}\./, '-<tag>.')}`;

const failures: readonly Fault['verdict'][] = (['fail', 'persisted', 'short'] as const).flatMap((how) =>
  (['ENOSPC', 'EDQUOT', 'EIO'] as const).map((code) => ({ how, code })),
);

/** What another keeper makes of it, and what the reader makes of it before. */
const check = async (made: TestVault, senders: Senders): Promise<void> => {
  const numbers = new Map<number, number>();
  const count = (number: number): void => void numbers.set(number, (numbers.get(number) ?? 0) + 1);
  const reader = openIntakeReader({ dir: made.intake, position: new Map() });
  const names = readdirSync(made.intake).filter(isIntakeName).sort();
  for (let piece = await reader.next(); piece !== null; piece = await reader.next()) {
    assert.notEqual(piece.kind === 'lost' && piece.cause, 'damaged intake');
    if (piece.kind !== 'deliveries') continue;
    for (const delivery of piece.deliveries)
      if (senderNames(delivery.sender).listener === 'test') count(delivery.sequence);
  }
  await reader.close();
  assertOnce('in intake', numbers, senders);
  assert.equal(
    new Set(names.map((name) => name.slice(0, 12))).size,
    names.length,
    'no two files are equally new',
  );

  await made.keep();
  numbers.clear();
  const vault = openVault(made.vault, { vkey: made.vkey });
  for (const { index, entry } of vault.entries(0, vault.checkpoint()?.size ?? 0)) {
    if (entry.kind !== 'batch') continue;
    const { records, offsets, lineCount } = vault.batch(index, 'root');
    for (let at = 1; at < lineCount; at++) {
      const { record } = decodeRecord(records, offsets[at]);
      if (record.listener !== 'test') continue;
      count(record.sequence);
      assert.equal(record.raw.toString(), `line ${record.sequence} ${'.'.repeat(100)}`);
      assert.equal(record.framing, Framing.newline);
    }
  }
  assertOnce('in the vault', numbers, senders);
  assert.deepEqual((await made.verify()).problems, []);
};

const assertOnce = (where: string, numbers: ReadonlyMap<number, number>, senders: Senders): void => {
  for (let number = 1; number <= last; number += 1) {
    const times = numbers.get(number) ?? 0;
    assert.ok(times >= 1, `line ${number} is lost, ${where}`);
    if (senders.byFirst.has(number))
      assert.equal(times, 1, `line ${number} was acknowledged at once, ${where}`);
    assert.ok(times <= 2, `line ${number} is there ${times} times, ${where}`);
  }
};

for (const [name, groupBytes] of Object.entries(groupings)) {
  describe(`a system call of the intake writer fails, groups ${name}`, () => {
    let image: TestVault;
    const faults: Fault[] = [];
    before(async () => {
      image = newTestVault(inMemory());
      const made = image.copy(inMemory());
      const calls: Call[] = [];
      const watch = watchCalls(made.intake, (call) => {
        calls.push(call);
        return 'run';
      });
      const senders: Senders = { acknowledged: new Set(), byFirst: new Set() };
      assert.equal(await live(made.intake, senders, 'first', groupBytes), null);
      watch.end();
      await check(made, senders);
      made.remove();
      for (const [at, call] of calls.entries())
        for (const verdict of failures)
          if (verdict.how !== 'short' || call.kind === 'write') faults.push({ at, call, verdict });
    });
    after(() => image.remove());

    it('and what was acknowledged is whole, and there once', async (t) => {
      const kinds = new Set(faults.map(({ call }) => call.name.split(' ')[0]));
      for (const kind of ['open', 'chmod', 'writev', 'datasync', 'sync']) assert.ok(kinds.has(kind), kind);
      const chosen = isFull ? faults : shuffled(faults, seed).slice(0, sample);
      const began = performance.now();
      let ended = 0;
      for (const fault of chosen) {
        const made = image.copy(inMemory());
        const senders: Senders = { acknowledged: new Set(), byFirst: new Set() };
        try {
          let seen = 0;
          let hit = fault.call;
          const watch = watchCalls(made.intake, (call) => {
            if (seen++ !== fault.at) return 'run';
            hit = call;
            return fault.verdict;
          });
          const died = await live(made.intake, senders, 'first', groupBytes);
          watch.end();
          assert.ok(seen > fault.at, 'the call was made');
          if (died !== null) ended += 1;
          if (hit.kind === 'sync') assert.ok(died !== null, 'a failed fsync ends the receiver');
          assert.equal(await live(made.intake, senders, 'later', groupBytes), null, 'the next start works');
          assert.equal(senders.acknowledged.size, last);
          await check(made, senders);
        } catch (error) {
          throw new Error(
            `${describeFault(fault)}: ${error instanceof Error ? error.message : String(error)}`,
            {
              cause: error,
            },
          );
        } finally {
          made.remove();
        }
      }
      t.diagnostic(
        `${chosen.length} faults injected of ${faults.length}, ${ended} ended the receiver, seed ${seed}, ` +
          `${((performance.now() - began) / 1000).toFixed(1)} s`,
      );
      assert.ok(faults.length > 150, `${faults.length} faults`);
    });
  });
}
