import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openEngine } from './embedded.ts';
import { withLiterals } from './literals.ts';

const slow =
  'SELECT sum(sleepEachRow(0.5)) AS n FROM numbers(6) WHERE {p:String} != {q:String} SETTINGS max_block_size = 1';

describe('bound values', () => {
  it('come through as they are, whatever is in them', async (t) => {
    const path = mkdtempSync(join(tmpdir(), 'holdfast-literals-'));
    const engine = await openEngine({ path });
    t.after(async () => {
      await engine.close();
      rmSync(path, { recursive: true });
    });
    const texts = [`'; DROP TABLE lines --`, 'back\\slash', 'nul\u0000', 'größer', '{p:String}', ''];
    for (const p of texts) {
      const [row] = await engine.rows(
        'interactive',
        'SELECT {p:String} AS text, length({p:String}) AS length',
        { p },
      );
      assert.deepEqual([row?.['text'], Number(row?.['length'])], [p, Buffer.byteLength(p)]);
    }
    const [row] = await engine.rows(
      'interactive',
      `SELECT 'b' IN {names:Array(String)} AS inside, toString({big:UInt64}) AS big, {low:Int64} AS low, {part:Float64} AS part`,
      { names: ['a', 'b'], big: '18446744073709551615', low: -5, part: 2.5 },
    );
    assert.deepEqual(
      [Number(row?.['inside']), row?.['big'], Number(row?.['low']), row?.['part']],
      [1, '18446744073709551615', -5, 2.5],
    );

    // Statements with values run beside one another.
    let isSlowDone = false;
    const waiting = engine.rows('interactive', slow, { p: 'a', q: 'b' }).then(() => (isSlowDone = true));
    await engine.rows('interactive', 'SELECT {p:String} AS text', { p: 'quick' });
    assert.equal(isSlowDone, false);
    await waiting;
  });

  it('are refused where they are not what they should be', () => {
    for (const value of ['1; DROP TABLE lines', '0x10', 'NaN', '', ['1']])
      assert.throws(() => withLiterals('SELECT {n:UInt64}', { n: value }), { code: 'engine-statement' });
    assert.throws(() => withLiterals('SELECT {missing:String}', {}), { code: 'engine-statement' });
    assert.throws(() => withLiterals('SELECT {n:Tuple(String)}', { n: 'x' }), { code: 'engine-statement' });
  });
});
