import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { formatMicros } from '#base/rfc3339';
import { at, parse } from '../testing/seen.ts';
import { fromBytes } from './byte-string.ts';
import { parseLine } from './parse.ts';
import { Guessed } from './parsed.ts';
import { machineZone, nearestPass } from './timestamp.ts';

describe('a time without a zone, on a machine in Berlin', () => {
  const zone = process.env['TZ'];
  before(() => {
    process.env['TZ'] = 'Europe/Berlin';
  });
  after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });

  const claimed = (line: string, received: string): string | null => {
    const parsed = parseLine(fromBytes(Buffer.from(line)), null, {
      received: at(received),
      local: machineZone,
    });
    return parsed.claimed === null ? null : formatMicros(parsed.claimed);
  };

  const cases: [what: string, line: string, received: string, wanted: string][] = [
    ['winter', '<13>Jan 12 12:00:00 h a: x', '2026-01-12T11:00:01Z', '2026-01-12T11:00:00.000000Z'],
    ['summer', '<13>Jul 12 12:00:00 h a: x', '2026-07-12T10:00:01Z', '2026-07-12T10:00:00.000000Z'],
    // On 25 October 2026, 02:30 comes at 00:30Z and at 01:30Z
    [
      'first pass of an hour that comes twice',
      '<13>Oct 25 02:30:00 h a: x',
      '2026-10-25T00:30:02Z',
      '2026-10-25T00:30:00.000000Z',
    ],
    [
      'second pass of it',
      '<13>Oct 25 02:30:00 h a: x',
      '2026-10-25T01:30:02Z',
      '2026-10-25T01:30:00.000000Z',
    ],
    [
      'second pass, an hour late',
      '<13>Oct 25 02:30:00 h a: x',
      '2026-10-25T02:30:00Z',
      '2026-10-25T01:30:00.000000Z',
    ],
    [
      'the hour before it',
      '<13>Oct 25 01:59:59 h a: x',
      '2026-10-25T02:30:00Z',
      '2026-10-24T23:59:59.000000Z',
    ],
    [
      'the hour after it',
      '<13>Oct 25 03:00:00 h a: x',
      '2026-10-25T02:00:01Z',
      '2026-10-25T02:00:00.000000Z',
    ],
    [
      'second pass, ISO',
      '<13>2026-10-25 02:30:00 h a: x',
      '2026-10-25T01:30:02Z',
      '2026-10-25T01:30:00.000000Z',
    ],
    // On 29 March 2026, 02:00 to 03:00 does not come: 01:59:59 is 00:59:59Z, 03:00 is 01:00Z
    [
      'an hour that never was',
      '<13>Mar 29 02:30:00 h a: x',
      '2026-03-29T01:30:02Z',
      '2026-03-29T01:30:00.000000Z',
    ],
    [
      'the second before it',
      '<13>Mar 29 01:59:59 h a: x',
      '2026-03-29T01:00:00Z',
      '2026-03-29T00:59:59.000000Z',
    ],
    [
      'the second after it',
      '<13>Mar 29 03:00:00 h a: x',
      '2026-03-29T01:00:00Z',
      '2026-03-29T01:00:00.000000Z',
    ],
    [
      'New Year, of the year before',
      '<13>Dec 31 23:59:59 h a: x',
      '2026-12-31T23:00:01Z',
      '2026-12-31T22:59:59.000000Z',
    ],
    [
      'New Year, of the year to come',
      '<13>Jan  1 00:00:01 h a: x',
      '2026-12-31T22:59:59Z',
      '2026-12-31T23:00:01.000000Z',
    ],
    ['a leap second', '<13>Jan  1 00:59:60 h a: x', '2027-01-01T00:00:01Z', '2027-01-01T00:00:00.000000Z'],
    [
      'a zone that is named is not guessed',
      '<13>Oct 25 02:30:00 CET h a: x',
      '2026-10-25T00:30:02Z',
      '2026-10-25T01:30:00.000000Z',
    ],
    // Clocks were set forward on 26 March 2000, which is no reason to do so in other years
    [
      'the day of the change of another year',
      '<13>Mar 26 02:30:00 h a: x',
      '2026-03-26T01:30:02Z',
      '2026-03-26T01:30:00.000000Z',
    ],
  ];
  for (const [what, line, received, wanted] of cases)
    it(what, () => assert.equal(claimed(line, received), wanted));

  it('reads a year before 100 as that year', () => {
    assert.ok(nearestPass(at('2026-01-01T00:00:00Z'), machineZone)(50, 1, 1, 0, 0, 0) < -60_000_000_000);
  });
});

it('marks what it guessed', () => {
  assert.equal(parse('<13>Dec 31 23:59:59 h a: x').guessed, Guessed.year | Guessed.zone);
  assert.equal(parse('<13>Dec 31 2025 23:59:59 h a: x').guessed, Guessed.zone);
  assert.equal(parse('<13>Dec 31 23:59:59 UTC h a: x').guessed, Guessed.year);
  assert.equal(parse('<13>2025-12-31T23:59:59Z h a: x').guessed, 0);
  assert.equal(parse('<13>2025-12-31T23:59:59Z h x').guessed, Guessed.host);
  assert.equal(parse('<13>*Dec 31 2025 23:59:59 UTC: %SYS-5-X: x').guessed, Guessed.clock);
});
