import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openEdition } from '../edition.ts';
import { openEngine } from '../engine/embedded.ts';
import { machineZone } from '../parse/timestamp.ts';
import { nothingIndexed, type Progress } from '../progress.ts';
import { nothingRemembered } from '../remembered.ts';
import { createTables, lines } from '../schema.ts';
import type { Sender } from '../senders.ts';
import { growVault, type GrownVault, type TestLine } from '../testing/grown-vault.ts';
import { vaultSource } from '../vault-source.ts';
import { noProjecting, openProjecting, type Projecting } from './projecting.ts';

/** Large enough for a thread. */
const perBatch = 1500;

const plain = (batch: number): TestLine[] =>
  Array.from({ length: perBatch }, (_, n) => ({
    raw: `<38>1 2026-05-12T02:59:59.${String(n).padStart(6, '0')}Z web${n % 7} app${batch} ${n} - - user=u${n} ${'x'.repeat(100)}`,
  }));

const numbered = (from: number): TestLine[] =>
  Array.from({ length: perBatch }, (_, n) => ({
    raw: `<38>1 2026-05-12T02:59:59Z web1 agent 1 - - number ${from + n}`,
    stream: 'agent-1',
    sequence: from + n,
  }));

type Made = { rows: string; inserts: number; progress: Progress; senders: Sender[] };

/** An index of its own, in groups of two batches. */
const made = async (grown: GrownVault, name: string, projecting: Projecting): Promise<Made> => {
  const engine = await openEngine({ path: join(grown.root, name) });
  const vault = vaultSource(grown.vault, grown.readKey);
  await createTables(engine);
  let inserts = 0;
  const edition = openEdition(
    {
      engine,
      vault,
      projecting,
      log: () => undefined,
      local: machineZone,
      restoreMs: 60_000,
      mostSenders: undefined,
      limits: { rows: 2 * perBatch, bytes: 2 ** 30 },
      isInterrupted: () => false,
      beforeRewriting: () => Promise.resolve(),
      onInserted: () => {
        inserts += 1;
      },
    },
    nothingIndexed,
    nothingRemembered(),
  );
  const size = vault.checkpoint()?.size ?? 0;
  try {
    await edition.catchUp(size);
  } catch {
    // As the indexer does, which begins again with what is in.
    await edition.undo();
    await edition.catchUp(size);
  }
  const all = await engine.binary(
    'background',
    `SELECT ${lines.columns.map(([column]) => column).join(', ')} FROM lines ORDER BY entry, line, part`,
  );
  const rows = all.toString('latin1');
  await engine.close();
  const key = ({ host, app, numbered: has }: Sender): string => `${app} ${host} ${has}`;
  const senders = [...edition.senders.all()].toSorted((a, b) => key(a).localeCompare(key(b)));
  return { rows, inserts, progress: edition.progress(), senders };
};

describe('a thread that projects', () => {
  let grown: GrownVault;
  let alone: Made;

  before(async () => {
    grown = await growVault();
    await grown.grow(
      plain(1),
      plain(2),
      numbered(1),
      plain(3),
      [{ raw: 'a small one' }],
      plain(4),
      // Again, and one that is another line under a number that is there.
      [...numbered(1).slice(0, 500), { raw: 'another', stream: 'agent-1', sequence: 7 }],
      numbered(1000),
      plain(5),
      plain(6),
      plain(7),
      plain(8),
      plain(9),
      // Some among others, two of which came before.
      [...plain(10), ...numbered(2500).slice(0, 3), ...numbered(1).slice(0, 2), ...plain(11)],
      [...numbered(2503).slice(0, 2), ...plain(12)],
    );
    alone = await made(grown, 'alone', noProjecting);
  });
  after(() => grown.remove());

  it('gives the rows, counts and senders that one thread gives', async () => {
    let given = 0;
    const projecting = openProjecting(() => undefined);
    const beside = await made(grown, 'beside', {
      ...projecting,
      threadFor(batch) {
        const thread = projecting.threadFor(batch);
        if (thread !== null) given += 1;
        return thread;
      },
    });
    await projecting.close();
    assert.equal(given >= 3, true, `${given} batches went to the thread`);
    assert.equal(beside.rows === alone.rows, true);
    assert.deepEqual({ ...beside, rows: '' }, { ...alone, rows: '' });
    const { lines: found, redelivered, conflicts } = beside.progress;
    assert.deepEqual({ found, redelivered, conflicts }, { found: 20_506, redelivered: 1003, conflicts: 1 });
  });

  it('leaves it to the one thread when it fails, and no line is lost or there twice', async () => {
    const said: string[] = [];
    const broken = new URL('data:text/javascript,throw new Error("no such luck")');
    const projecting = openProjecting((_, message) => said.push(message), broken);
    const beside = await made(grown, 'broken', projecting);
    await projecting.close();
    assert.equal(beside.rows === alone.rows, true);
    assert.deepEqual(beside.progress.lines, alone.progress.lines);
    assert.match(said.join('\n'), /one thread from now on.*no such luck/);
  });
});
