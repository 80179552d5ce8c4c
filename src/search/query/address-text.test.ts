import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { addressTokensSql } from '#index';
import { openEngine } from '../../index/engine/embedded.ts';
import type { Engine } from '../../index/engine/engine.ts';
import { addressText, wholeAddresses } from './address-text.ts';

const address = '1.2.3.4';
const value = { text: address, quoted: false, column: 1 };

/** What stands around addresses, and what looks like one. */
const pieces = [address, '1.2.3.4', '1', '2', '.', '.', '1.2', '3.4', 'a', 'Z', ' ', '-', ':', '_', 'é', '“'];

/** Where no rule of addresses applies. */
const containedExpression = ({ text, quoted }: { text: string; quoted: boolean }): string =>
  (quoted ? [text] : text.split('*')).map((part) => part.replace(/[.:[\]*-]/g, '\\$&')).join('.*');

/** The same texts every time. */
const textsAtRandom = (count: number): string[] => {
  let seed = 791;
  const below = (limit: number): number => (seed = (seed * 48_271) % 0x7fff_ffff) % limit;
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + below(7) }, () => pieces[below(pieces.length)] ?? '').join(''),
  );
};

describe('an IPv4 address in a text', () => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-address-'));
  let engine: Engine;

  before(async () => {
    engine = await openEngine({ path });
  });

  after(async () => {
    await engine.close();
    rmSync(path, { recursive: true });
  });

  it('is found by its token exactly where the rule finds it', async () => {
    const edges = ['1.2.3.4.', '.1.2.3.4', 'a.1.2.3.4.b', '1.1.2.3.4', '1.2.3.4.5', 'v1.2.3.4', '1.2.3.4a'];
    const more = [
      'b1.1.2.3.4',
      '1b.1.2.3.4',
      '1..1.2.3.4',
      '1.2.3a.1.2.3.4',
      '1.2.3.4,1.2.3.4',
      '1.2.3.4.5a',
    ];
    const texts = [...textsAtRandom(20_000), ...edges, ...more];
    const pattern = addressText(value)?.pattern ?? '';
    const rows = await engine.rows(
      'interactive',
      `SELECT message, match(message, {pattern:String}) AS by_rule, has(${addressTokensSql}, {address:String}) AS by_token
      FROM (SELECT arrayJoin(splitByChar('\\n', {texts:String})) AS message)`,
      { pattern, address, texts: texts.join('\n') },
    );
    assert.equal(rows.length, texts.length);
    assert.deepEqual(
      rows.filter((row) => row['by_rule'] !== row['by_token']),
      [],
    );
    const found = rows.filter((row) => row['by_rule'] === 1).length;
    assert.ok(found > 1000 && found < texts.length - 1000, String(found));
  });

  it('is a token of all that a text with it is found in', async () => {
    const values = [
      'from 1.2.3.4',
      '1.2.3.4 port',
      '1.2.3.4:22',
      '-1.2.3.4-',
      '_1.2.3.4',
      'a.1.2.3.4',
      'é1.2.3.4',
    ];
    const others = [
      '1.2.3.4 to 3.4.1.2',
      ' 1.2.3.4 ',
      '11.2.3.4-1.2.3.4',
      '1.2.3.4*',
      'a*1.2.3.4',
      '1.2.3.4*a',
    ];
    const sixes = ['::ffff:1.2.3.4', '64:ff9b::1.2.3.4', '[64:ff9b::1.2.3.4]:443', '::1.2.3.4'];
    const written = [
      '64:ff9b::102:304',
      '[64:ff9b::102:304]:443',
      '::102:304',
      '::ffff:102:304',
      '1.2.3.4 to 3.4.1.2',
    ];
    const around = [...values, ...others, ...sixes, ...written].flatMap((text) =>
      textsAtRandom(50).flatMap((one) => [one + text, text + one, `${text}\n${one}`]),
    );
    const all = [...textsAtRandom(5000), ...around];
    let narrowed = 0;
    for (const text of [...values, ...others, ...sixes])
      for (const quoted of [true, false]) {
        const asked = { text, quoted, column: 1 };
        const { addresses } = wholeAddresses(asked);
        const pattern = addressText(asked)?.pattern ?? containedExpression(asked);
        const [row] = await engine.rows(
          'interactive',
          `SELECT count() AS found, countIf(NOT hasAll(${addressTokensSql}, {addresses:Array(String)})) AS lost
          FROM (SELECT arrayJoin(splitByChar('\\0', {all:String})) AS message) WHERE match(message, {pattern:String})`,
          { addresses, pattern: `(?is)${pattern}`, all: all.join('\0') },
        );
        assert.ok((quoted && text.includes('*')) || Number(row?.['found']) > 0, text);
        assert.equal(Number(row?.['lost']), 0, `${text}: ${addresses.join(', ')}`);
        if (addresses.length > 0) narrowed += 1;
      }
    assert.ok(narrowed > 12, String(narrowed));
  });

  it('stands by itself in what has a text, unless something may stick to it', () => {
    const whole = (text: string, quoted = false): ReturnType<typeof wholeAddresses> =>
      wholeAddresses({ text, quoted, column: 1 });
    assert.deepEqual(whole('1.2.3.4'), { addresses: ['1.2.3.4'], rest: ' ' });
    assert.deepEqual(whole('from 1.2.3.4:22', true), { addresses: ['1.2.3.4'], rest: 'from  :22' });
    assert.deepEqual(whole('1.2.3.4 not 11.2.3.4 or 1.2.3.4', true), {
      addresses: ['1.2.3.4', '11.2.3.4'],
      rest: '  not   or  ',
    });
    assert.deepEqual(whole('64:ff9b::1.2.3.4', true).addresses, []);
    for (const text of [
      'from*1.2.3.4',
      '1.2.3.4*',
      'v1.2.3.4',
      '1.2.3.4.5',
      '1.2.3.456',
      '1.2.3.',
      'a=1.2.3.4.',
    ])
      assert.deepEqual(whole(text), { addresses: [], rest: text });
    assert.deepEqual(whole('1.2.3.4*', true), { addresses: ['1.2.3.4'], rest: ' *' });
  });
});
