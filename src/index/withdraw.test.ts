import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openVault } from '#vault/read';
import { Framing } from '#vault/record';
import { utc } from './parse/timestamp.ts';
import { openIndex, type Index } from './indexer.ts';
import { recover, undo, writeProgress } from './progress.ts';
import { growVault, type GrownVault, type TestLine } from './testing/grown-vault.ts';
import { expire, redact } from './testing/withdrawing.ts';
import { vaultSource } from './vault-source.ts';
import { deleteWithdrawn, withoutWithdrawn } from './withdraw.ts';

const numbered = (sequence: number, raw: string): TestLine => ({ stream: 's', sequence, raw });

const openOn = (made: GrownVault, name: string): Promise<Index> =>
  openIndex({
    path: join(made.root, name),
    vault: vaultSource(made.vault, made.readKey),
    log: () => undefined,
    local: utc,
    pollMs: 5,
  });

const caughtUp = async (index: Index, made: GrownVault): Promise<void> => {
  const size = made.appender.size();
  for (const end = Date.now() + 60_000; ; await sleep(5)) {
    const { indexed, trouble, withdrawn } = index.state();
    assert.equal(trouble, null);
    if (indexed === size && withdrawn.length === openVault(made.vault).amendments().all().length) return;
    assert.ok(Date.now() < end, `${indexed} of ${size} after 60 s`);
  }
};

/** All that a search could tell from. */
const answers = async (index: Index): Promise<unknown> => {
  const { lines, redelivered, conflicts, numbering, altered, withdrawn } = index.state();
  const rows = await index.engine.rows(
    'interactive',
    'SELECT entry, line, message, stream, sequence, flags FROM lines ORDER BY entry, line',
  );
  const senders = [...index.senders.all()].map(({ host, app, lines: count }) => ({ host, app, count }));
  return { rows, senders, lines, redelivered, conflicts, numbers: numbering.entries(), altered, withdrawn };
};

const vaultFor = async (t: TestContext): Promise<GrownVault> => {
  const made = await growVault();
  t.after(() => {
    made.appender.close();
    made.remove();
  });
  return made;
};

/** An index that is stopped and opened again: the engine has one directory at a time. */
type Kept = { index: Index };

/** Parts of the table of lines that the engine knows, and those directories of them that are on disk. */
const partsOf = async (index: Index, path: string): Promise<{ known: string[]; onDisk: string[] }> => {
  const rows = await index.engine.rows(
    'interactive',
    `SELECT name FROM system.parts WHERE database = currentDatabase() AND table = 'lines'`,
  );
  const known = rows.map((row) => String(row['name']));
  const directories = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((found) => found.isDirectory())
    .map((found) => found.name);
  return { known, onDisk: known.filter((name) => directories.includes(name)) };
};

/** The index as it goes on, and one that is made of the vault as it is now, must answer alike. */
const assertLikeAnew = async (kept: Kept, made: GrownVault): Promise<void> => {
  await caughtUp(kept.index, made);
  const before = await answers(kept.index);
  await kept.index.stop();
  const anew = await openOn(made, `anew-${made.appender.size()}`);
  try {
    await caughtUp(anew, made);
    assert.deepEqual(before, await answers(anew));
  } finally {
    await anew.stop();
    kept.index = await openOn(made, 'index');
  }
  await caughtUp(kept.index, made);
  assert.deepEqual(await answers(kept.index), before);
};

const keyed = (key: string, text: string): TestLine => ({
  framing: Framing.body,
  meta: JSON.stringify({ via: 'http', format: 'jsonl', type: '', encoding: 'identity', key }),
  raw: `{"msg":"${text}"}\n{"msg":"${text} too"}\n`,
});

describe('lines that the vault has taken away', () => {
  it('go with all the others of their body, and what was left out for them comes back', async (t) => {
    const made = await vaultFor(t);
    const first = await made.grow(
      [keyed('k1', 'a'), keyed('k2', 'b')],
      [keyed('k2', 'b')],
      [keyed('k3', 'c')],
    );
    const kept = { index: await openOn(made, 'index') };
    t.after(() => kept.index.stop());
    await caughtUp(kept.index, made);
    assert.equal(kept.index.state().lines, 6);
    // Nothing hangs on it.
    await redact(made, first, 1);
    await assertLikeAnew(kept, made);
    assert.equal(kept.index.state().lines, 4);
    await redact(made, first, 2);
    await assertLikeAnew(kept, made);
    assert.deepEqual([kept.index.state().lines, kept.index.state().redelivered], [4, 0]);
  });

  it('go from the index, which then answers as one that is made anew', async (t) => {
    const made = await vaultFor(t);
    const first = await made.grow(
      [{ raw: 'one' }, numbered(1, 'n1'), numbered(2, 'n2')],
      [{ raw: 'secret hunter2' }, numbered(3, 'n3'), { raw: 'three' }],
      [numbered(4, 'n4'), { raw: 'four' }],
    );
    const kept = { index: await openOn(made, 'index') };
    t.after(() => kept.index.stop());
    await caughtUp(kept.index, made);
    assert.equal(kept.index.state().lines, 8);

    await redact(made, first + 1, 1);
    await assertLikeAnew(kept, made);
    assert.equal(kept.index.state().lines, 7);
    await redact(made, first + 1, 2);
    await assertLikeAnew(kept, made);
    assert.deepEqual(kept.index.state().numbering.holes(), [{ stream: 's', first: 3, last: 3 }]);

    await expire(made, first, first + 1);
    rmSync(made.segmentFile(first));
    await assertLikeAnew(kept, made);
    assert.equal(kept.index.state().lines, 3);
    assert.deepEqual(kept.index.state().altered, []);
    assert.deepEqual(
      kept.index.state().withdrawn.map(({ kind, lines }) => [kind, lines]),
      [
        ['redacted', 1],
        ['redacted', 1],
        ['expired', 3],
      ],
    );
    await made.grow([numbered(5, 'n5')]);
    await assertLikeAnew(kept, made);
  });

  it('are in no file of the index any more, though the engine keeps what it has replaced', async (t) => {
    const made = await vaultFor(t);
    const fillers = Array.from({ length: 30 }, (_, i) => ({ raw: `filler ${i} with words ${i * 7919}` }));
    const first = await made.grow([{ raw: 'a secret correcthorse' }, ...fillers]);
    const index = await openOn(made, 'index');
    t.after(() => index.stop());
    const path = join(made.root, 'index');
    await caughtUp(index, made);
    const held = await partsOf(index, path);
    assert.ok(held.known.length > 0);
    assert.deepEqual(held.onDisk, held.known);
    // What a mutation has replaced stays, in system.parts and on disk: that is what would be found here.
    await index.engine.run(
      'background',
      'ALTER TABLE lines DELETE WHERE entry = 999999999 SETTINGS mutations_sync = 2',
    );
    const replaced = await partsOf(index, path);
    for (const name of held.known) assert.ok(replaced.onDisk.includes(name), name);
    assert.ok(replaced.known.length > held.known.length);

    await redact(made, first, 1);
    await caughtUp(index, made);
    const left = async (): Promise<string[]> => {
      const directories = readdirSync(path, { recursive: true }).map((name) => basename(String(name)));
      const { known } = await partsOf(index, path);
      return replaced.known.filter((name) => known.includes(name) || directories.includes(name));
    };
    // Well before the engine's own lifetime for them.
    for (const end = Date.now() + 60_000; (await left()).length > 0; await sleep(20))
      assert.ok(Date.now() < end, `${(await left()).join()} hold the line still`);
    assert.equal(index.state().lines, 30);
  });

  it('of which copies were left out as redelivered bring those in', async (t) => {
    const made = await vaultFor(t);
    const first = await made.grow(
      [numbered(1, 'n1'), numbered(2, 'n2')],
      [numbered(2, 'n2'), numbered(3, 'n3')],
    );
    const kept = { index: await openOn(made, 'index') };
    t.after(() => kept.index.stop());
    await caughtUp(kept.index, made);
    assert.deepEqual([kept.index.state().lines, kept.index.state().redelivered], [3, 1]);
    await expire(made, first, first + 1);
    rmSync(made.segmentFile(first));
    await assertLikeAnew(kept, made);
    assert.deepEqual([kept.index.state().lines, kept.index.state().redelivered], [2, 0]);
  });

  it('are not indexed where their file is there still', async (t) => {
    const made = await vaultFor(t);
    const first = await made.grow([{ raw: 'one' }], [{ raw: 'two' }]);
    await expire(made, first, first + 1);
    const kept = { index: await openOn(made, 'index') };
    t.after(() => kept.index.stop());
    await caughtUp(kept.index, made);
    assert.equal(kept.index.state().lines, 1);
    assert.equal((await kept.index.vault.recheck(first)).kind, 'as committed');
  });

  it('go for good when the process dies between any two steps', async (t) => {
    const made = await vaultFor(t);
    const first = await made.grow([{ raw: 'one' }, numbered(1, 'n1')], [{ raw: 'two' }, numbered(2, 'n2')]);
    for (const dies of ['before the progress', 'before the deletion', 'after the deletion']) {
      const path = `index-${dies.replaceAll(' ', '-')}`;
      const source = vaultSource(made.vault, made.readKey);
      // What is withdrawn is told by hand here, so the vault's own entry comes only once.
      const index = await openOn(made, path);
      await caughtUp(index, made);
      const { engine } = index;
      const { progress } = await recover(engine);
      if (made.appender.size() < first + 3) await expire(made, first, first + 1);
      const withdrawn = await source.withdrawn(0);
      const after = await withoutWithdrawn(engine, progress, withdrawn);
      assert.ok(after !== null);
      if (dies !== 'before the progress') await writeProgress(engine, after);
      if (dies === 'after the deletion') await deleteWithdrawn(engine, after);
      await index.stop();
      const again = await openOn(made, path);
      await caughtUp(again, made);
      const rows = await again.engine.rows('interactive', 'SELECT message FROM lines ORDER BY message');
      assert.deepEqual(
        rows.map((row) => row['message']),
        ['n2', 'two'],
        dies,
      );
      assert.equal(again.state().lines, 2, dies);
      await undo(again.engine, after);
      await again.stop();
    }
  });
});
