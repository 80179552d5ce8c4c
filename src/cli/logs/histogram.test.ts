import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testIo } from '../test-io.ts';
import { histogramLines } from './histogram.ts';

it('draws bars that fit the width, and none that hides a line', () => {
  const bar = (minute: string, count: number, errors = 0) => ({
    from: `2026-05-12T02:${minute}:00.000000Z`,
    count,
    errors,
  });
  const drawn = histogramLines(
    { ...testIo(), width: 60, paint: (_style, text) => text },
    { step: 300, bars: [bar('00', 4000, 1), bar('05', 0), bar('10', 1), bar('15', 2000)] },
  );
  assert.deepEqual(drawn.split('\n'), [
    'FROM (UTC), 5 MINUTES EACH  LINES  ERRORS',
    `2026-05-12 02:00             4000       1  ${'█'.repeat(16)}`,
    '2026-05-12 02:05                0       -',
    '2026-05-12 02:10                1       -  ▏',
    `2026-05-12 02:15             2000       -  ${'█'.repeat(8)}`,
    '',
  ]);
});
