import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Flag } from '#vault/record';
import { full } from '../harness/up.ts';
import { setStage } from './stage.ts';

const messages = full ? 100_000 : 4000;

const chunk = (id: number, number: number, count: number, text: string | Buffer): Buffer => {
  const head = Buffer.alloc(12);
  head.set([0x1e, 0x0f]);
  head.writeUInt32BE(id, 2);
  head.set([number, count], 10);
  return Buffer.concat([head, Buffer.from(text)]);
};

const sender = (port: number): { socket: Socket; put(bytes: Buffer): Promise<void> } => {
  const socket = createSocket('udp4');
  let sent = 0;
  return {
    socket,
    async put(bytes) {
      await new Promise<void>((resolve) => socket.send(bytes, port, '127.0.0.1', () => resolve()));
      // What the kernel drops is counted, and not what is tried here.
      if ((sent += 1) % 64 === 0) await wait(1);
    },
  };
};

test('GELF chunks that are missing, come twice, lie about their number, or share an id', async (t) => {
  const stage = await setStage(t);
  const { socket, put } = sender(stage.port('gelfUdp'));
  t.after(() => socket.close());
  let n = 0;
  const piece = (): string => `piece ${(n += 1)};`;
  const sent: string[] = [];
  const send = async (id: number, number: number, count: number): Promise<Buffer> => {
    const text = piece();
    sent.push(text);
    const bytes = chunk(id, number, count, text);
    await put(bytes);
    return bytes;
  };
  await stage.attack('chunks', async () => {
    for (let id = 1; id <= messages; id += 1) {
      switch (id % 4) {
        case 0: // One of them never comes.
          await send(id, 0, 2);
          break;
        case 1: // Its first comes again, and is one message.
          await put(await send(id, 0, 2));
          await send(id, 1, 2);
          break;
        case 2: // Its number and how many there are make no sense.
          await send(id, 7, 7);
          await send(id, 0, 0);
          await send(id, 0, 255);
          break;
        case 3: // The same id and number, and other bytes.
          await send(7, 0, 128);
          break;
      }
    }
    return `${n} chunks of ${messages} messages`;
  });
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, '{'), { level: 9 }).subarray(0, 60_000);
  await stage.attack('bombs', async () => {
    for (let id = 0; id < 100; id += 1)
      for (const number of [0, 1])
        await put(chunk(1_000_000 + id, number, 128, bomb.subarray(number * 30_000, (number + 1) * 30_000)));
    return '100 messages that would unpack to 64 MiB, and are never complete';
  });
  await stage.stop();
  const stored = stage.stored().filter(({ listener }) => listener.startsWith('gelf-udp='));
  const kept = new Map<string, number>();
  for (const { raw } of stored)
    for (const [text] of raw.toString('latin1').matchAll(/piece \d+;/g))
      kept.set(text, (kept.get(text) ?? 0) + 1);
  const lost = sent.filter((text) => !kept.has(text)).length;
  const counted = stage.counted('kernel udp drop') + stage.counted('receiver congested');
  assert.ok(lost <= counted, `${lost} pieces are gone, and ${counted} were counted`);
  assert.ok(lost < sent.length / 2, `${lost} of ${sent.length} pieces are gone`);
  const torn = stored.filter(({ flags }) => (flags & Flag.torn) !== 0).length;
  assert.equal(stage.counted('torn message'), torn);
});
