import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { delivery, summary, vaultFor, whileChanged } from '../testing/test-vault.ts';
import type { SegmentJob, SegmentResult } from './segment-job.ts';
import { startThreads } from './segment-threads.ts';
import { verifyVault } from './verify.ts';

const job = (entry: number): SegmentJob => ({
  vault: '/nonexistent',
  file: `segment/${entry}.zst`,
  entry,
  expected: {
    root: Buffer.alloc(32),
    lines: 1,
    earliest: 0,
    latest: 0,
    segment: { sha256: Buffer.alloc(32), length: 1 },
    redacted: [],
  },
});

describe('threads that check segments', () => {
  it('answer every job', async () => {
    const threads = startThreads(2);
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => threads.run(job(i))));
    assert.deepEqual(new Set(results.map(({ kind }) => kind)), new Set(['missing']));
    await threads.close();
  });

  it('say of the job on which one died that it was not looked at, and do the others', async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'holdfast-threads-'));
    t.after(() => rmSync(root, { recursive: true }));
    const program = join(root, 'dies.mjs');
    writeFileSync(
      program,
      `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ entry }) => {
        if (entry === 7) process.exit(3);
        if (entry === 8) throw new Error('poison');
        parentPort.postMessage({ kind: 'missing' });
      });`,
    );
    const threads = startThreads(2, pathToFileURL(program));
    const results = await Promise.all(Array.from({ length: 30 }, (_, i) => threads.run(job(i))));
    const unseen = results.flatMap((result, i) => (isUnseen(result) ? [i] : []));
    assert.deepEqual(unseen, [7, 8]);
    const dead = await Promise.all(Array.from({ length: 40 }, () => threads.run(job(7))));
    assert.ok(dead.every(isUnseen));
    assert.ok(isUnseen(await threads.run(job(1))), 'after so many deaths none is started');
    await threads.close();
  });

  it('find in a large vault what one thread finds', async (t) => {
    const made = vaultFor(t);
    for (let i = 0; i < 6; i++) {
      const lines = Array.from({ length: 2000 }, () => randomBytes(600).toString('hex'));
      made.receive(delivery(`${lines.join('\n')}\n`));
    }
    await made.keep();
    const seen: number[] = [];
    const report = await verifyVault({
      vault: made.vault,
      vkey: made.vkey,
      threads: 2,
      onProgress: ({ lines }) => {
        assert.ok(lines.done <= lines.total);
        seen.push(lines.done);
      },
    });
    assert.equal(summary(report), '');
    assert.equal(report.lines, 12_000);
    assert.equal(seen.at(-1), report.lines);
    const last = made.files().findLast((path) => path.startsWith('segment/')) ?? '';
    const bytes = Buffer.from(made.read(last));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await whileChanged(made, last, bytes, async () =>
      assert.match(
        summary(await verifyVault({ vault: made.vault, vkey: made.vkey })),
        new RegExp(`^${last}.*changed`),
      ),
    );
  });
});

const isUnseen = (result: SegmentResult): boolean => result.kind === 'wrong' && result.unseen === true;
