import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { received } from '../testing/seen.ts';
import { fromBytes } from './byte-string.ts';
import { mostFields, longestValue } from './fields.ts';
import { parseLine } from './parse.ts';
import { utc } from './timestamp.ts';

/** Lines of all dialects that are known, as seeds. */
const directory = join(import.meta.dirname, '../../../test/vectors/syslog');
const seeds = readdirSync(directory)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name): string[] => {
    const { cases }: { cases: { raw: string }[] } = JSON.parse(readFileSync(join(directory, name), 'utf8'));
    return cases.map(({ raw }) => raw);
  });

/** Pieces that decide which way a parser goes. */
const pieces = [
  '<13>|<191>|1 | - |[|]|="|"|=|\\|{|}|@cee: |{"a":|: |%SYS-5-X: |*',
  'May 12 02:59:59 |2026-05-12T03:00:00Z |CEST |+02:00|1778554799.5 |last message repeated 3 times',
  "Message forwarded from h: |[ID 1 auth.err] |type=X msg=audit(1.000:1): |msg='|node=x |a=b ",
  '\u0000|\n|\u00ef\u00bb\u00bf|RP/0/0:|00:00:46: |12: |::1 |\\u0000|4,1,2,-;|A\n',
].flatMap((some) => some.split('|'));

const vias = ['', 'journal', 'kernel', 'file', 'self'];

const check = (raw: string, via: string): void => {
  const meta = via === '' ? null : { via, host: '', path: '/var/log/x.log' };
  const parsed = parseLine(raw, meta, { received, local: utc });
  const place = JSON.stringify([via, raw.slice(0, 400)]);
  assert.ok(
    parsed.message !== null ||
      (parsed.messageStart >= 0 &&
        parsed.messageStart <= parsed.messageEnd &&
        parsed.messageEnd <= raw.length),
    place,
  );
  assert.equal(parsed.fields.length % 2, 0, place);
  assert.ok(parsed.claimed === null || Number.isSafeInteger(parsed.claimed), place);
  assert.ok(parsed.pid === null || (parsed.pid >= 0 && parsed.pid <= 0xffff_ffff), place);
  assert.ok(parsed.facility === 255 || parsed.facility < 24, place);
  assert.ok(parsed.severity === 255 || parsed.severity < 8, place);
  assert.ok(parsed.confidence >= 0 && parsed.confidence <= 100, place);
  assert.ok((parsed.guessed & ~0xf00) === 0, place);
  assert.ok(parsed.host.length <= 255 && parsed.app.length <= 255, place);
  for (const text of [parsed.host, parsed.app, ...parsed.fields])
    assert.ok(!/[^\u0000-\u00ff]/.test(text), `not a byte string: ${place}`);
};

it('never throws, and keeps every message inside its line', () => {
  let state = 5424;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
  const rounds = process.env['HOLDFAST_TEST_FULL'] === '1' ? 1_000_000 : 20_000;
  for (let round = 0; round < rounds; round += 1) {
    let raw = fromBytes(Buffer.from(seeds[random(seeds.length)] ?? ''));
    for (let changes = random(5); changes > 0; changes -= 1) {
      const place = random(raw.length + 1);
      const piece = pieces[random(pieces.length)] ?? '';
      const cut = random(4) === 0 ? random(12) : 0;
      raw =
        raw.slice(0, place) +
        (random(3) === 0 ? String.fromCharCode(random(256)) : piece) +
        raw.slice(place + cut);
    }
    if (random(3) === 0) raw = raw.slice(0, random(raw.length + 1));
    check(raw, vias[random(vias.length)] ?? '');
  }
});

it('takes no more than it has bounds for, however the line is made to hurt', () => {
  const hurtful = [
    'a=b '.repeat(50_000),
    'msg=< '.repeat(50_000),
    'msg=" '.repeat(50_001),
    "k=' ".repeat(50_000),
    '='.repeat(200_000),
    `k="${'\\'.repeat(200_000)}`,
    `k=${'x)'.repeat(100_000)}`,
    `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    `{"a":${'{"b":'.repeat(40_000)}1${'}'.repeat(40_001)}`,
    `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join(',')}}`,
    `type=X msg=audit(1.000:1): ${"msg='a=1 ".repeat(50_000)}`,
    `type=X msg=audit(1.000:1): ${'a=1 '.repeat(50_000)}`,
    `${'<13>May 12 02:59:59 h '.repeat(10_000)}a: x`,
    `<13>${'12: h: '.repeat(30_000)}%SYS-5-X: x`,
    `<13>${'%A-'.repeat(60_000)}`,
    `<14>1 2026-05-12T02:59:59Z h a - - ${'[a b="c"]'.repeat(20_000)}`,
  ];
  for (const text of hurtful) {
    for (const head of ['', '<13>May 12 02:59:59 h a: ']) {
      const started = process.cpuUsage();
      check(head + text, '');
      const parsed = parseLine(head + text, null, { received, local: utc });
      assert.ok(process.cpuUsage(started).user < 10_000_000, `too slow: ${text.slice(0, 40)}`);
      const data = text.startsWith('<14>1') && head === '';
      assert.ok(parsed.fields.length <= 2 * (data ? 256 : mostFields + 8), text.slice(0, 40));
      for (const field of parsed.fields) assert.ok(data || field.length <= longestValue, text.slice(0, 40));
    }
  }
});
