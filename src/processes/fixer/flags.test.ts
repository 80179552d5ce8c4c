import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '#cli';
import { secondsOf } from './flags.ts';

test('a time is a day at the most: a fix holds up all others of the host meanwhile', () => {
  assert.equal(secondsOf({ watchAfter: '1440m' }, 'watchAfter', 0), 86_400);
  for (const given of ['1441m', '86401', '1h'])
    assert.throws(
      () => secondsOf({ watchAfter: given }, 'watchAfter', 0),
      (error) => error instanceof CliError && error.code === 'usage' && error.message.includes(given),
    );
});
