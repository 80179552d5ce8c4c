import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { micros, type Micros } from '#base/clock';
import { openEngine } from '../engine/embedded.ts';
import type { Engine } from '../engine/engine.ts';
import { utc } from '../parse/timestamp.ts';
import { createTables, lines } from '../schema.ts';
import { recordsOf, testTime } from '../testing/grown-vault.ts';
import { LinesBlock } from './native/block.ts';
import { projectBatch } from './project.ts';
import { claimedOf, restored } from './restored.ts';
import { RowBinaryReader } from './row-binary.ts';

const usual = '<38>1 2026-05-12T02:59:59.012345+02:00 web1 sshd 812 - - Failed password';

/** Headers in whose texts a column could be seen where there is none, or one that is not written as the line has it. */
const headers: readonly string[] = [
  usual,
  '<38>1 2026-05-12T02:59:59Z web1 sshd 812 - - x',
  '<038>1 2026-05-12T02:59:59.1Z web1 sshd 0812 - - x',
  '<38>1 2026-05-12T02:59:59.123456789-09:30 web1 sshd - ID47 [a b="c"] x',
  '<38>1 2026-05-12T02:59:60Z web1 sshd 1 - - leap second',
  '<38>1 2026-05-12T23:59:59.999-23:59 web1 sshd 1 - - the next day',
  '<38>1 1901-01-01T00:00:00+14:00 web1 sshd 1 - - long ago',
  '<38>1 1900-01-01T00:00:00+14:00 web1 sshd 1 - - before what the column holds',
  '<38>1 2254-12-31T23:59:59-14:00 web1 sshd 1 - - after it',
  '<38>1 1969-12-31T23:59:59.5Z web1 sshd 1 - - before the epoch',
  '<38>1 2026-05-12t02:59:59Z web1 sshd 1 - - small t',
  '<38>1 2026-05-12T02:59:59z web1 sshd 1 - - small z',
  '<38>1 2026-05-12T02:59:59,5Z web1 sshd 1 - - comma',
  '<38>1 2026/05/12T02:59:59Z web1 sshd 1 - - slashes',
  '<38>1 2026-05-12T02:59:59+0200 web1 sshd 1 - - no colon',
  '<38>1 2026-05-12T02:59:59 web1 sshd 1 - - no offset',
  '<38>1 2026-05-12T02:59:59-00:00 - - - - - nil',
  '<38>1 - 38 38 38 - - the same text everywhere',
  '<38>1 2026-05-12T02:59:59Z 2026 2 1 - - digits',
  '<38>1 2026-05-12T02:59:59Z w\u0001b \u0003 \u0002 - - marks of its own',
  '<38>1 2026-05-12T02:59:59Z web1 \u00c3\u00a4pp 1 - - name that is not ASCII',
  '<38>1 2026-05-12T02:59:59Z web1 \u00ff\u00fe 1 - - name that is not UTF-8',
  `<38>1 2026-05-12T02:59:59Z ${'h'.repeat(300)} ${'a'.repeat(300)} 1 - - names that are cut`,
  '<38>1 2026-05-12T02:59:59Z  sshd 1 - - no host',
  '<38>May 12 02:59:59 web1 sshd[812]: RFC 3164',
  '<38>2026-05-12T02:59:59.123+02:00 web1 sshd[812]: RFC 3164 with a new timestamp',
  '2026-05-12T02:59:59.123456+02:00 web1 sshd[812]: as rsyslog writes files',
  '<38>sshd[812]: no time',
  '<38>1 2026-05-12T02:59:59Z web1',
  '<38>1 2026-05-12T02:59:59Z',
  '<38>',
  '',
  'nothing that is known',
];

/** The same lines every time. */
const alteredAtRandom = (count: number): Buffer[] => {
  let seed = 5424;
  const below = (limit: number): number => (seed = (seed * 48_271) % 0x7fff_ffff) % limit;
  return Array.from({ length: count }, () => {
    const bytes = Buffer.from(headers[below(headers.length)] ?? '', 'latin1');
    for (let turns = below(4); turns > 0 && bytes.length > 0; turns -= 1)
      bytes[below(Math.min(bytes.length, 50))] = below(3) === 0 ? below(256) : 0x30 + below(11);
    return bytes;
  });
};

describe('what is left out before the message', () => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-abridged-'));
  const raws = [...headers.map((text) => Buffer.from(text, 'latin1')), ...alteredAtRandom(5000)];
  let engine: Engine;

  before(async () => {
    engine = await openEngine({ path });
    await createTables(engine);
    const block = new LinesBlock();
    const batch = { committed: testTime, ...recordsOf(raws.map((raw) => ({ raw }))) };
    await projectBatch(block, 0, batch, {
      local: utc,
      admit: () => 'new',
      admitKey: () => 'new',
      witness: () => undefined,
    });
    await engine.insert(lines, block.encoded(lines));
  });
  after(async () => {
    await engine.close();
    rmSync(path, { recursive: true });
  });

  it('comes back exactly, and the size is that of the line', async () => {
    const rows = await engine.rows(
      'background',
      'SELECT line, hex(raw) AS bytes, size FROM lines ORDER BY line',
    );
    assert.equal(rows.length, raws.length);
    for (const [at, row] of rows.entries()) {
      const raw = raws[at] ?? Buffer.alloc(0);
      assert.equal(String(row['bytes']), raw.toString('hex').toUpperCase(), raw.toString('latin1'));
      assert.equal(Number(row['size']), raw.length, raw.toString('latin1'));
    }
  });

  it('comes back the same without the engine', async () => {
    const rows = new RowBinaryReader(
      await engine.binary(
        'background',
        `SELECT line, whole, prefix, message, suffix, implied, time, claimed_apart, host, app, pid, facility, severity,
          claimed FROM lines ORDER BY line`,
      ),
    );
    const time = (): Micros => micros(rows.int64());
    for (let at = 0; !rows.done; at += 1) {
      const [line, raw] = [rows.uint32(), raws[at] ?? Buffer.alloc(0)];
      const text = { whole: rows.bytes(), prefix: rows.bytes(), message: rows.bytes(), suffix: rows.bytes() };
      const times = {
        implied: rows.uint16(),
        time: time(),
        claimedApart: rows.uint8() === 1 ? null : time(),
      };
      const names = { host: rows.bytes(), app: rows.bytes(), pid: rows.uint8() === 1 ? null : rows.uint32() };
      const row = { ...text, ...times, ...names, facility: rows.uint8(), severity: rows.uint8() };
      assert.equal(line, at + 1);
      assert.equal(restored(row).toString('hex'), raw.toString('hex'), raw.toString('latin1'));
      assert.equal(claimedOf(row), rows.uint8() === 1 ? null : time(), raw.toString('latin1'));
    }
  });

  it('is what other columns say', async () => {
    const rows = await engine.rows(
      'background',
      'SELECT prefix, toString(claimed) AS claimed, isNull(claimed_apart) AS apart FROM lines WHERE line IN (1, 25, 27) ORDER BY line',
    );
    assert.deepEqual(
      rows.map((row) => [row['prefix'], row['claimed'], Number(row['apart'])]),
      [
        ['<\u0001>1 \u0002+02:00 \u0003 \u0004 \u0005 - - ', '2026-05-12 00:59:59.012345', 1],
        ['<\u0001>May 12 02:59:59 web1 sshd[812]: ', '2026-05-12 02:59:59.000000', 1],
        ['\u0002+02:00 \u0003 \u0004[\u0005]: ', '2026-05-12 00:59:59.123456', 1],
      ],
    );
  });
});
