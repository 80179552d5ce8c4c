import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { CliError } from '../errors.ts';
import { ago, entryRange, when } from './when.ts';

const now = micros(Date.UTC(2026, 4, 12, 3) * 1000);

describe('times and ranges on the command line', () => {
  it('are days, times, or how long ago', () => {
    assert.equal(formatMicros(when('2026-05-01', '--before', now)), '2026-05-01T00:00:00.000000Z');
    assert.equal(
      formatMicros(when('2026-05-01T10:00:00+02:00', '--before', now)),
      '2026-05-01T08:00:00.000000Z',
    );
    assert.equal(formatMicros(when('2d', '--before', now)), '2026-05-10T03:00:00.000000Z');
    assert.equal(formatMicros(ago('400d', '--older-than', now)), '2025-04-07T03:00:00.000000Z');
    assert.equal(formatMicros(ago('90m', '--older-than', now)), '2026-05-12T01:30:00.000000Z');
  });
  it('are nothing else', () => {
    for (const given of ['', '0d', '-1d', '1.5d', '1y', 'yesterday', '2026-13-01', '2026-05-01 10:00'])
      assert.throws(() => when(given, '--before', now), CliError, given);
    assert.throws(() => ago('2026-05-01', '--older-than', now), CliError);
    for (const given of ['', '1', '1-2', '1..', '2..1', '1...2', 'a..b'])
      assert.throws(() => entryRange(given), CliError, given);
    assert.deepEqual(entryRange('7..7'), { first: 7, end: 8 });
  });
});
