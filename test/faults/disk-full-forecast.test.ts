import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeState, search, startUp, temporaryState, until, type RunningUp } from '../harness/up.ts';

test('a disk that fills is told of days ahead, by `holdfast up` and in the log, over restarts', async () => {
  const state = temporaryState();
  const seen = join(state.run, 'disk-space.json');
  let up: RunningUp | null = null;
  try {
    const { bavail, bsize } = statfsSync(state.root);
    const free = bavail * bsize;
    // What an `up` has seen in the five days before this one: half of what is left went each day.
    // One clock reading for all: two that are less than an hour apart would be thinned out.
    const now = Date.now();
    const samples = Array.from({ length: 5 * 24 }, (_, i) => ({
      at: now - (i + 1) * 3_600_000,
      free: free + ((i + 1) / 24) * (free / 2),
    }));
    mkdirSync(state.run, { mode: 0o755 });
    writeFileSync(seen, JSON.stringify({ vault: samples }));
    up = await startUp(state);
    await until('it says so', () => /up warning: .* is full in \d/.test(up?.output() ?? ''));
    assert.match(
      up.output(),
      /the file system of \S+ is full in (1\.9|2\.0|2\.1) days at this rate: .*docs\/disk-space\.md/,
    );
    await until('the line is found', () => search(state, 'app:holdfast kind=disk-forecast').hits.length > 0);
    const [hit] = search(state, 'app:holdfast kind=disk-forecast').hits;
    const line = JSON.parse(Buffer.from(hit?.raw ?? '', 'base64').toString());
    assert.ok(Math.abs(line.days - 2) < 0.2, JSON.stringify(line));
    assert.ok(line.free > 0 && line.perDay > 0);
    const remembered: unknown = JSON.parse(readFileSync(seen, 'utf8')).vault;
    assert.ok(
      Array.isArray(remembered) && remembered.length === samples.length + 1,
      'and remembers this look too',
    );
  } finally {
    await up?.interrupt();
    removeState(state);
  }
});
