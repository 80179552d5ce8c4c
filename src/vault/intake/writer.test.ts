import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { micros, systemClock } from '#base/clock';
import { decodeRecord, encodeRecordHead, Framing, type DecodedRecord } from '#vault/record';
import { openIntakeWriter, type IntakeWriter, type PendingDelivery } from './writer.ts';
import type { IntakeWriterOptions } from './writer-options.ts';

const head: Omit<DecodedRecord, 'raw'> = {
  flags: 0,
  framing: Framing.newline,
  received: micros(1_778_554_800_000_001),
  sequence: 0,
  listener: 'syslog-tcp=127.0.0.1:5514',
  peer: '192.0.2.7:51234',
  tlsName: '',
  stream: '',
  meta: '',
};

const directory = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'intake-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
};

const writer = (dir: string, options: Partial<IntakeWriterOptions> = {}): Promise<IntakeWriter> =>
  openIntakeWriter({ dir, clock: systemClock(), onFault: assert.ifError, ...options });

const pending = (body: string, durable: (() => void) | null = null): PendingDelivery => ({
  head: encodeRecordHead(head),
  received: head.received,
  sequence: 0,
  flags: 0,
  body: [Buffer.from(body)],
  bodyLength: Buffer.byteLength(body),
  durable,
  sealed: false,
});

/** The deliveries of one file by the format alone; what follows the last whole one is `torn`. */
const read = (path: string): { deliveries: DecodedRecord[]; torn: number } => {
  const bytes = readFileSync(path);
  const deliveries: DecodedRecord[] = [];
  let at = 0;
  while (at + 16 <= bytes.length) {
    assert.equal(bytes.toString('latin1', at, at + 4), 'HFD1');
    const end = at + 16 + bytes.readUInt32BE(at + 4) + bytes.readUInt32BE(at + 8);
    if (end > bytes.length) break;
    assert.equal(crc32(bytes.subarray(at + 16, end)), bytes.readUInt32BE(at + 12));
    const record = Buffer.from(bytes.subarray(at + 16, end));
    record.writeUInt32BE(record.length - 4);
    deliveries.push(decodeRecord(record).record);
    at = end;
  }
  return { deliveries, torn: bytes.length - at };
};

const readAll = (dir: string): DecodedRecord[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.intake'))
    .sort()
    .flatMap((name) => read(join(dir, name)).deliveries);

describe('intake writer', () => {
  it('stores small and large bodies exactly, under a head with their own time, sequence and flags', async (t) => {
    const dir = directory(t);
    const intake = await writer(dir);
    const large = Buffer.alloc(70_000, 'large body\n');
    const received = micros(2 ** 53 - 1);
    await Promise.all([
      intake.append(head, Buffer.from('small\n')),
      intake.append({ ...head, received, sequence: 2 ** 40 + 7, flags: 5 }, [
        Buffer.from('a'),
        large,
        Buffer.from('b'),
        Buffer.from('c'),
        large,
      ]),
      intake.append(head, []),
    ]);
    await intake.close();
    const [first, second, third] = readAll(dir);
    assert.deepEqual(first, { ...head, raw: Buffer.from('small\n') });
    assert.deepEqual(second?.raw, Buffer.concat([Buffer.from('a'), large, Buffer.from('bc'), large]));
    assert.deepEqual([second?.received, second?.sequence, second?.flags], [received, 2 ** 40 + 7, 5]);
    assert.equal(third?.raw.length, 0);
  });

  it('commits everything that waits at once, and tells it durable in order and only when it is in the file', async (t) => {
    const dir = directory(t);
    const intake = await writer(dir);
    const order: number[] = [];
    let stored = -1;
    for (let i = 0; i < 1000; i += 1) {
      intake.enqueue(
        pending(`line ${i}\n`, () => {
          if (stored < 0) stored = readAll(dir).length;
          order.push(i);
        }),
      );
    }
    assert.equal(order.length, 0);
    await intake.append(head, Buffer.from('last\n'));
    assert.deepEqual(
      order,
      Array.from({ length: 1000 }, (_, i) => i),
    );
    assert.equal(stored, 1001);
    assert.equal(intake.stats.commits, 1);
    assert.equal(intake.pendingBytes, 0);
    await intake.close();
  });

  it('lets a queued delivery grow until its group is cut', async (t) => {
    const dir = directory(t);
    const intake = await writer(dir);
    const delivery = pending('one\n');
    intake.enqueue(delivery);
    assert.equal(delivery.sealed, false);
    intake.extend(delivery, [Buffer.from('two\n')], 4);
    await intake.append(head, Buffer.from('other\n'));
    assert.equal(delivery.sealed, true);
    await intake.close();
    assert.deepEqual(
      readAll(dir).map(({ raw }) => raw.toString()),
      ['one\ntwo\n', 'other\n'],
    );
  });

  it('cuts nothing off and begins one file where a delivery grows while files change', async (t) => {
    const dir = directory(t);
    const intake = await writer(dir, { maxFileBytes: 1000 });
    await intake.append(head, Buffer.alloc(990, 'f'));
    const stored = Promise.withResolvers<void>();
    const delivery = pending('x\n', stored.resolve);
    intake.enqueue(delivery);
    let grown = 1;
    while (!delivery.sealed) {
      intake.extend(delivery, [Buffer.from('x\n')], 2);
      grown += 1;
      await turn();
    }
    await stored.promise;
    await intake.append(head, Buffer.from('last\n'));
    await intake.close();
    assert.deepEqual(
      readAll(dir).map(({ raw }) => raw.toString()),
      ['f'.repeat(990), 'x\n'.repeat(grown), 'last\n'],
    );
    assert.equal(intake.stats.files, 2);
  });

  it('begins a file of its own at each start and at the size limit, and numbers them on', async (t) => {
    const dir = directory(t);
    const name = '000000000041-0badcafe.intake';
    writeFileSync(join(dir, name), 'left by an earlier process');
    const intake = await writer(dir, { maxFileBytes: 100_000 });
    for (let i = 0; i < 4; i += 1) await intake.append(head, Buffer.alloc(40_000, i));
    await intake.close();
    const files = readdirSync(dir).sort();
    assert.deepEqual(
      files.map((file) => file.slice(0, 12)),
      ['000000000041', '000000000042', '000000000043'],
    );
    assert.ok(files.every((file) => /^\d{12}-[0-9a-f]{8}\.intake$/.test(file)));
    assert.equal(readFileSync(join(dir, name), 'utf8'), 'left by an earlier process');
    for (const file of files.slice(1)) {
      assert.equal(statSync(join(dir, file)).mode & 0o777, 0o640);
      assert.equal(read(join(dir, file)).deliveries.length, 2);
    }
  });

  it('tells of high and low water', async (t) => {
    const levels: string[] = [];
    const intake = await writer(directory(t), {
      highWaterBytes: 100_000,
      lowWaterBytes: 1000,
      onPressure: (level) => levels.push(level),
    });
    for (let i = 0; i < 10; i += 1) intake.enqueue(pending('x'.repeat(20_000)));
    assert.deepEqual(levels, ['high']);
    assert.ok(intake.pendingBytes > 200_000);
    await intake.append(head, Buffer.from('end\n'));
    assert.deepEqual(levels, ['high', 'low']);
    await intake.close();
  });

  it('refuses a directory that is not there, and takes nothing once closed', async (t) => {
    const dir = directory(t);
    await assert.rejects(writer(join(dir, 'absent')), { code: 'intake-unwritable' });
    const intake = await writer(dir);
    await intake.close();
    await assert.rejects(intake.append(head, Buffer.from('late')), { code: 'intake-closed' });
  });
});

/** A tmpfs of 1 MiB, unmounted after the test; `null` where there can be none. */
const mounted = (t: TestContext): string | null => {
  if (process.getuid?.() !== 0) {
    t.skip('mounting a small tmpfs needs root');
    return null;
  }
  const dir = mkdtempSync(join(tmpdir(), 'intake-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { stdio: 'pipe' });
  } catch (error) {
    rmSync(dir, { recursive: true });
    t.skip(`mount refused: ${String(error)}`);
    return null;
  }
  t.after(() => {
    execFileSync('umount', [dir]);
    rmSync(dir, { recursive: true });
  });
  return dir;
};

const until = async (isSo: () => boolean): Promise<void> => {
  for (const end = performance.now() + 60_000; !isSo(); await wait(10))
    assert.ok(performance.now() < end, `not within 60 s: ${String(isSo)}`);
};

describe('intake writer on a full disk', () => {
  it('keeps what waits, acknowledges none of it, and stores each once when there is space again', async (t) => {
    const dir = mounted(t);
    if (dir === null) return;
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(500_000));
    const spaces: string[] = [];
    const intake = await writer(dir, { onSpace: (space) => spaces.push(space) });
    let durable = 0;
    for (let i = 0; i < 80; i += 1) {
      intake.enqueue(
        pending(String(i).padStart(10_000, '.'), () => {
          durable += 1;
        }),
      );
    }
    await until(() => spaces.length > 0);
    await wait(300);
    assert.deepEqual(spaces, ['full']);
    assert.equal(intake.space, 'full');
    assert.ok(durable > 0 && durable < 80, `${durable} durable`);
    assert.equal(
      readAll(dir).length,
      durable,
      'what is whole in the file is durable, and the other way round',
    );
    for (const name of readdirSync(dir).filter((other) => other !== 'ballast')) {
      assert.equal(read(join(dir, name)).torn, 0, 'nothing that would pass for a loss');
    }
    const before = durable;
    await wait(1200);
    assert.ok(durable < 80 && durable >= before);
    assert.ok(readdirSync(dir).length <= 4, 'no heap of files while there is no space');

    rmSync(join(dir, 'ballast'));
    await until(() => durable === 80 && spaces.length > 1);
    assert.deepEqual(spaces, ['full', 'available']);
    assert.deepEqual(
      readAll(dir).map(({ raw }) => Number(raw.toString().replaceAll('.', ''))),
      Array.from({ length: 80 }, (_, i) => i),
    );
    await intake.close();
  });

  it('says at close what it could not store', async (t) => {
    const dir = mounted(t);
    if (dir === null) return;
    const intake = await writer(dir);
    const large = intake.append(head, Buffer.alloc(2_000_000));
    const refused = assert.rejects(large, { code: 'intake-full' });
    await wait(100);
    await assert.rejects(intake.close(), { code: 'intake-full' });
    await refused;
  });
});
