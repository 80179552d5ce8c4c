import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEngine } from '../../engine/embedded.ts';
import { createTables, lines } from '../../schema.ts';
import { LinesBlock } from './block.ts';

/** A row, of which `n` tells the others apart. */
const write = ({ columns }: LinesBlock, n: number): void => {
  columns.entry.int64(n);
  columns.line.uint32(n + 1);
  columns.part.uint32(0);
  columns.time.int64(-n);
  columns.claimed_apart.int64(n % 2 === 0 ? null : 2 ** 53 - 1);
  columns.received.int64(n);
  columns.committed.int64(n);
  columns.host.string(`host${n % 300}`);
  columns.app.string(n % 2 === 0 ? '' : 'sshd');
  columns.source.string('192.0.2.1');
  columns.listener.string('syslog-tcp=127.0.0.1:514');
  columns.via.string('syslog-tcp');
  columns.pid.uint32(n % 3 === 0 ? null : 0xffff_ffff);
  columns.facility.uint8(255);
  columns.severity.uint8(6);
  columns.message.slice(Buffer.from('<13>\u00ff'.repeat(n), 'latin1'), 0, 5 * n);
  columns.fields.map(n % 2 === 0 ? [] : ['a', String(n), 'b', 'x'.repeat(200), 'a', '']);
  for (const column of [columns.prefix, columns.suffix, columns.whole]) column.string('');
  columns.implied.uint16(0);
  columns.flags.uint16(0x8001);
  columns.parser_version.uint8(1);
  columns.confidence.uint8(100);
  columns.tls_name.string('');
  columns.stream.string('');
  columns.sequence.int64(n);
  columns.content.fixed('12345678', 8);
  columns.dedup.fixed('1234567890abcdef', 16);
  columns.form.uint8(n % 16);
};

test('the engine reads back what a block holds, also of one that is used again', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-block-'));
  const engine = await openEngine({ path });
  t.after(async () => {
    await engine.close();
    rmSync(path, { recursive: true });
  });
  await createTables(engine);
  const block = new LinesBlock();
  // More names than one byte counts, and then fewer.
  for (const [from, to] of [
    [0, 700],
    [700, 703],
  ] as const) {
    block.clear();
    for (let n = from; n < to; n += 1) write(block, n);
    assert.equal(block.rows, to - from);
    await engine.insert(lines, block.encoded(lines));
  }
  const [sums] = await engine.rows(
    'interactive',
    `SELECT count() AS rows, uniqExact(host) AS hosts, countIf(app = 'sshd') AS named, sum(entry) AS entries,
      countIf(claimed IS NULL) AS unclaimed, countIf(pid = 4294967295) AS pids, sum(length(message)) AS bytes,
      min(toUnixTimestamp64Micro(time)) AS first FROM lines`,
  );
  const all = Array.from({ length: 703 }, (_, n) => n);
  const sum = all.reduce((total, n) => total + n, 0);
  assert.deepEqual(
    Object.fromEntries(Object.entries(sums ?? {}).map(([name, value]) => [name, Number(value)])),
    {
      rows: 703,
      hosts: 300,
      named: 351,
      entries: sum,
      unclaimed: 352,
      pids: all.filter((n) => n % 3 !== 0).length,
      bytes: 5 * sum,
      first: -702,
    },
  );
  const [row] = await engine.rows(
    'interactive',
    `SELECT host, hex(message) = hex(repeat('<13>\\xff', 701)) AS same, toUnixTimestamp64Micro(claimed) AS claimed,
      mapKeys(fields) AS names, mapValues(fields) AS texts, flags, content, dedup FROM lines WHERE entry = 701`,
  );
  assert.deepEqual(
    { ...row, same: Number(row?.['same']), claimed: Number(row?.['claimed']) },
    {
      host: 'host101',
      same: 1,
      claimed: 2 ** 53 - 1,
      names: ['a', 'b', 'a'],
      texts: ['701', 'x'.repeat(200), ''],
      flags: 0x8001,
      content: '12345678',
      dedup: '1234567890abcdef',
    },
  );
});
