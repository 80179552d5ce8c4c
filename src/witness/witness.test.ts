import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { openCosignature } from '#vault/checkpoint';
import { openDurable } from '#vault/durable';
import { createWitness, loadWitnessSigner } from './create.ts';
import { resume } from './evidence.ts';
import { originHash } from './layout.ts';
import { beginMemory } from './memory.ts';
import { parseSubmission } from './submission.ts';
import {
  newTestLog,
  newTestWitness,
  temporaryDirectory,
  type TestLog,
  type TestWitness,
} from './testing/test-log.ts';
import type { Outcome, Witness } from './witness.ts';

const bring = (witness: Witness, log: TestLog, old: number, size: number): Promise<Outcome> =>
  witness.consider(parseSubmission(log.submission(old, size)));

const program = join(import.meta.dirname, 'testing', 'killed-witness.ts');

const memoryFile = ({ layout }: TestWitness, { origin }: TestLog): string =>
  join(layout.memory, originHash(origin));

describe('the memory of a witness', () => {
  it('outlives the process: a plain signed note, with the log’s signature and the witness’s', async (t) => {
    const log = newTestLog();
    const made = await newTestWitness(t, log);
    const first = await made.open();
    assert.equal((await bring(first, log, 0, 5)).outcome, 'cosigned');
    await first.close();
    const note = readFileSync(memoryFile(made, log));
    assert.ok(note.toString().startsWith(log.note(5).toString()));
    assert.equal(openCosignature(note, first.vkey), 1_700_000_000);
    const second = await made.open();
    assert.equal((await bring(second, log, 0, 5)).outcome, 'stale');
    assert.equal((await bring(second, log, 5, 9)).outcome, 'cosigned');
    await second.close();
  });

  it('has one history after a hundred at once that conflict with each other', async (t) => {
    const log = newTestLog();
    const made = await newTestWitness(t, log);
    const witness = await made.open();
    await bring(witness, log, 0, 10);
    const branches = [log, log.branch(10), log.branch(12)];
    const all = Array.from({ length: 100 }, (_, n) => ({
      branch: branches[n % 3] ?? log,
      size: 11 + (n % 37),
    }));
    const outcomes = await Promise.all(
      all.map(async ({ branch, size }) => ({ branch, size, ...(await bring(witness, branch, 10, size)) })),
    );
    const cosigned = outcomes.filter(({ outcome }) => outcome === 'cosigned');
    const lines = new Set(cosigned.map(({ size, branch }) => `${size} ${branch.root(size).toString('hex')}`));
    assert.equal(lines.size, 1, 'all began at 10, so one can have won');
    assert.equal(witness.seen(log.origin)?.head.size, cosigned[0]?.size);
    // And when each goes on from wherever the witness is:
    const statements: { size: number; root: string }[] = [];
    await Promise.all(
      branches.flatMap((branch) =>
        Array.from({ length: 30 }, async (_, n) => {
          await wait(n % 7);
          const old = witness.seen(log.origin)?.head.size ?? 0;
          const size = Math.min(299, old + 1 + (n % 5));
          const found = await bring(witness, branch, old, size);
          if (found.outcome === 'cosigned')
            statements.push({ size, root: found.seen.head.root.toString('hex') });
        }),
      ),
    );
    const winner = branches.filter((branch) =>
      statements.every(({ size, root }) => branch.root(size).toString('hex') === root),
    );
    assert.ok(winner.length >= 1, 'every statement is of one history');
    await witness.close();
  });

  it('never goes back after kill -9, wherever it hits: what was answered is remembered', async (t) => {
    const log = newTestLog();
    const made = await newTestWitness(t, log);
    const rounds = process.env['HOLDFAST_TEST_FULL'] === '1' ? 40 : 4;
    let answered = 0;
    for (let round = 0; round < rounds; round++) {
      const sizesToBring = Array.from({ length: 20 }, (_, n) => round * 7 + n + 1);
      const child = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', program, made.layout.root, log.vkeyText],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      );
      t.after(() => child.kill('SIGKILL'));
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        // Each line is an answer that left the process. Kill within the persisting of a later one.
        if (said.split('\n').length > 2 + (round % 4)) child.kill('SIGKILL');
      });
      let at = answered;
      for (const to of sizesToBring.filter((size) => size > answered)) {
        child.stdin.write(`${log.submission(at, to).toString('base64')}\n`);
        at = to;
      }
      child.stdin.on('error', () => undefined);
      await once(child, 'close');
      const sizes = said
        .trim()
        .split('\n')
        .filter((line) => /^\d+$/.test(line))
        .map(Number);
      const last = sizes.at(-1) ?? answered;
      const witness = await made.open();
      const remembered = witness.seen(log.origin)?.head;
      assert.ok((remembered?.size ?? 0) >= last, `remembers ${remembered?.size}, answered ${last}`);
      assert.deepEqual(remembered?.root, log.root(remembered?.size ?? 0));
      await witness.close();
      answered = remembered?.size ?? 0;
    }
    assert.ok(answered > 10);
  });

  it('is the old or the new one, whole, after kill -9 at each step of storing it', async (t) => {
    const log = newTestLog();
    const made = await newTestWitness(t, log);
    const steps: string[] = [];
    const counting = await made.open((what) => void steps.push(what));
    await bring(counting, log, 0, 1);
    await counting.close();
    let size = 1;
    for (let at = 0; at < steps.length; at++) {
      const child = spawnSync(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', program, made.layout.root, log.vkeyText, String(at)],
        { input: `${log.submission(size, size + 1).toString('base64')}\n`, encoding: 'utf8' },
      );
      assert.deepEqual([child.signal, child.stdout], ['SIGKILL', ''], steps[at] ?? '');
      const witness = await made.open();
      const found = witness.seen(log.origin)?.head;
      assert.ok(found !== undefined && [size, size + 1].includes(found.size), steps[at] ?? '');
      assert.deepEqual(found.root, log.root(found.size));
      await witness.close();
      size = found.size;
    }
    assert.equal(size, 2 + steps.length - 1 - steps.findIndex((what) => what.startsWith('after rename')));
  });

  it('signs nothing that it could not store, at whatever system call it failed', async (t) => {
    const log = newTestLog();
    const made = await newTestWitness(t, log);
    const calls: string[] = [];
    const counting = await made.open((what) => void calls.push(what));
    await bring(counting, log, 0, 1);
    await counting.close();
    assert.ok(calls.length >= 8, calls.join('\n'));
    for (let at = 0; at < calls.length; at++) {
      let count = 0;
      const failing = await made.open(() => {
        if (count++ === at) throw Object.assign(new Error('disk'), { code: 'EIO' });
      });
      const before = failing.seen(log.origin)?.head.size ?? 0;
      await assert.rejects(bring(failing, log, before, before + 1), { code: 'not-stored' });
      assert.equal(failing.seen(log.origin)?.head.size, before);
      // It goes on by itself when the disk does.
      assert.equal((await bring(failing, log, before, before + 1)).outcome, 'cosigned', calls[at] ?? '');
      await failing.close();
    }
  });

  it('stops its log where it is damaged or lost, and never begins again at 0', async (t) => {
    const [log, other] = [newTestLog(), newTestLog('other.example/0')];
    const made = await newTestWitness(t, log, other);
    const first = await made.open();
    await bring(first, log, 0, 5);
    await first.close();
    const file = memoryFile(made, log);
    const right = readFileSync(file);
    const logLine = right.indexOf('— log');
    const ownLine = right.indexOf('— witness');
    for (let at = 0; at < right.length; at += 1) {
      // The log's own signature is not what makes the witness believe its memory.
      if (at >= logLine && at < ownLine) continue;
      const changed = Buffer.from(right);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(file, changed);
      const witness = await made.open();
      assert.equal((await bring(witness, log, 0, 7)).outcome, 'stopped', `byte ${at}`);
      assert.notEqual(witness.stopped(log.origin), null);
      if (at === 0) assert.equal((await bring(witness, other, 0, 7)).outcome, 'cosigned');
      await witness.close();
    }
    assert.ok(made.said.some((line) => /damaged.*Restore/.test(line)));
    for (const cut of [0, 1, right.length - 1]) {
      writeFileSync(file, right.subarray(0, cut));
      const witness = await made.open();
      assert.equal((await bring(witness, log, 0, 7)).outcome, 'stopped', `${cut} bytes`);
      await witness.close();
    }
    rmSync(file);
    await assert.rejects(made.open(), { code: 'memory-absent' });
    writeFileSync(file, right);
    const back = await made.open();
    assert.equal((await bring(back, log, 5, 7)).outcome, 'cosigned');
    await back.close();
  });

  it('ends the process where the disk has lost what it said to have', async (t) => {
    const log = newTestLog();
    const made = await newTestWitness(t, log);
    const witness = await made.open((what) => {
      if (what.startsWith('before fsync')) throw Object.assign(new Error('fsync'), { code: 'fsync-failed' });
    });
    await assert.rejects(bring(witness, log, 0, 1), { code: 'not-stored' });
    assert.equal(made.failures.length, 1);
    await witness.close();
    await assert.rejects(bring(witness, log, 0, 1), { code: 'not-stored' });
    assert.equal(made.failures.length, 1, 'it was not tried: another process may be the witness');
  });

  it('is one process’s at a time', async (t) => {
    const made = await newTestWitness(t, newTestLog());
    const first = await made.open();
    await assert.rejects(made.open(), { code: 'in-use' });
    await first.close();
    await (await made.open()).close();
  });

  it('has times that do not go back when the clock does', async (t) => {
    const log = newTestLog();
    const made = await newTestWitness(t, log);
    const witness = await made.open();
    await bring(witness, log, 0, 5);
    made.clock.set(1_600_000_000);
    await bring(witness, log, 5, 6);
    assert.equal(witness.seen(log.origin)?.time, 1_700_000_000);
    await witness.close();
  });
});

describe('evidence', () => {
  it('is both notes, kept for good; nothing is cosigned until an operator says so', async (t) => {
    const [log, other] = [newTestLog(), newTestLog('other.example/0')];
    const made = await newTestWitness(t, log, other);
    const witness = await made.open();
    await bring(witness, log, 0, 5);
    const fork = log.branch(2);
    assert.equal((await bring(witness, fork, 5, 5)).outcome, 'fork');
    assert.equal((await bring(witness, log, 5, 9)).outcome, 'stopped');
    assert.equal((await bring(witness, other, 0, 9)).outcome, 'cosigned');
    await witness.close();
    const directory = join(made.layout.evidence, originHash(log.origin));
    const kept = readdirSync(directory).map((name) => readFileSync(join(directory, name)).toString());
    assert.equal(kept.length, 2);
    assert.ok(kept.includes(fork.note(5).toString()));
    assert.ok(kept.some((note) => note.startsWith(log.note(5).toString())));
    const again = await made.open();
    assert.equal((await bring(again, log, 5, 9)).outcome, 'stopped');
    assert.ok(made.said.some((line) => /stopped: two roots at size 5/.test(line)));
    await again.close();
    await resume(made.layout, openDurable({ scratch: made.layout.scratch }), log.origin);
    const resumed = await made.open();
    assert.equal((await bring(resumed, fork, 0, 9)).outcome, 'stale');
    assert.equal((await bring(resumed, log, 5, 9)).outcome, 'cosigned');
    await resumed.close();
    assert.equal(readdirSync(directory).length, 2);
  });
});

describe('making a witness', () => {
  it('is done once; a second time changes nothing, and a witness without its memory is none', async (t) => {
    const made = await newTestWitness(t, newTestLog());
    const { layout } = made;
    const key = readFileSync(layout.key);
    assert.ok(createWitness(layout, layout.key, null).vkey.name === 'witness.example/w1');
    assert.deepEqual(readFileSync(layout.key), key);
    assert.throws(() => createWitness(layout, layout.key, 'another'), { code: 'exists' });
    const signer = loadWitnessSigner(layout, layout.key);
    const durable = openDurable({ scratch: layout.scratch });
    assert.equal(await beginMemory(layout, durable, 'new.example/0', signer.vkey), 'begun');
    assert.equal(await beginMemory(layout, durable, 'new.example/0', signer.vkey), 'known');
    writeFileSync(join(layout.memory, originHash('new.example/0')), 'x');
    await assert.rejects(beginMemory(layout, durable, 'new.example/0', signer.vkey), {
      code: 'memory-damaged',
    });
    const elsewhere = join(temporaryDirectory(t), 'w');
    assert.throws(() => loadWitnessSigner({ ...layout, vkey: elsewhere }, layout.key), { code: 'absent' });
    rmSync(layout.memory, { recursive: true });
    assert.throws(() => createWitness(layout, layout.key, null), { code: 'absent' });
  });
});
