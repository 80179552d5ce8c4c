import { createServer, type Socket } from 'node:net';
import { fdatasyncSync, openSync, closeSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { hello, lineMeta, type LineMeta } from '#wire/own';

/**
 * The other end of src/wire/own.ts for this room's tests: stores what arrives, one file a connection, fdatasync,
 * then acknowledges. Also runs as a process of its own: `node own-server.ts SOCKET DIRECTORY`.
 */
export const serveOwn = async (
  socketPath: string,
  directory: string,
  answer: { acknowledge: boolean } = { acknowledge: true },
): Promise<{ close(): Promise<void> }> => {
  rmSync(socketPath, { force: true });
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    const fd = openSync(join(directory, `${process.hrtime.bigint()}.received`), 'ax');
    let pieces: Buffer[] = [];
    let held = 0;
    let needed = 4;
    let isGreeted = false;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      connections.delete(socket);
      closeSync(fd);
    });
    socket.on('data', (chunk: Buffer) => {
      writeSync(fd, chunk);
      pieces.push(chunk);
      held += chunk.length;
      if (held < needed) return;
      const bytes = Buffer.concat(pieces);
      let at = 0;
      if (!isGreeted) {
        at = 4 + bytes.readUInt32BE(0);
        needed = at;
        if (bytes.length < at) return;
        isGreeted = true;
      }
      let through = 0;
      for (const frame of parseFrames(bytes, at)) {
        at = frame.next;
        through = frame.sequence;
      }
      pieces = [bytes.subarray(at)];
      held = bytes.length - at;
      needed = frameLength(bytes.subarray(at)) ?? 14;
      fdatasyncSync(fd);
      if (through === 0 || !answer.acknowledge) return;
      const acknowledgement = Buffer.alloc(8);
      acknowledgement.writeBigUInt64BE(BigInt(through));
      socket.write(acknowledgement);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of connections) socket.destroy();
        server.close(() => resolve());
      }),
  };
};

export type Received = { stream: string; sequence: number; meta: LineMeta; raw: Buffer };

/** `null` if too little of the frame is there to tell. */
const frameLength = (bytes: Buffer): number | null => {
  if (bytes.length < 10) return null;
  const rawAt = 14 + bytes.readUInt16BE(8);
  return bytes.length < rawAt ? null : rawAt + bytes.readUInt32BE(rawAt - 4);
};

function* parseFrames(bytes: Buffer, from: number): Generator<Omit<Received, 'stream'> & { next: number }> {
  for (let at = from; ;) {
    const length = frameLength(bytes.subarray(at));
    if (length === null || at + length > bytes.length) return;
    const rawAt = at + 14 + bytes.readUInt16BE(at + 8);
    const next = at + length;
    yield {
      sequence: Number(bytes.readBigUInt64BE(at)),
      meta: lineMeta.parse(JSON.parse(bytes.toString('utf8', at + 10, rawAt - 4))),
      raw: bytes.subarray(rawAt, next),
      next,
    };
    at = next;
  }
}

/** Everything stored, in order of arrival, with what was sent more than once as often as it was. */
export const receivedIn = (directory: string): Received[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.received'))
    .sort((a, b) => (BigInt(a.split('.')[0] ?? 0) < BigInt(b.split('.')[0] ?? 0) ? -1 : 1))
    .flatMap((name) => {
      const bytes = readFileSync(join(directory, name));
      if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32BE(0)) return [];
      const start = 4 + bytes.readUInt32BE(0);
      const { stream } = hello.parse(JSON.parse(bytes.toString('utf8', 4, start)));
      return [...parseFrames(bytes, start)].map((frame) => ({ stream, ...frame }));
    });

/**
 * What search would show: each (stream, sequence) once.
 * @throws if one number stands for two contents, or a stream has a hole
 */
export const distinct = (received: readonly Received[]): Received[] => {
  const seen = new Map<string, Received>();
  const highest = new Map<string, number>();
  for (const line of received) {
    const key = `${line.stream}/${line.sequence}`;
    const before = seen.get(key);
    if (before === undefined) {
      const expected = (highest.get(line.stream) ?? 0) + 1;
      if (line.sequence !== expected) throw new Error(`${key} arrived where ${expected} was due`);
      seen.set(key, line);
      highest.set(line.stream, line.sequence);
    } else if (!before.raw.equals(line.raw) || JSON.stringify(before.meta) !== JSON.stringify(line.meta)) {
      throw new Error(`${key} stands for two lines: ${before.raw.toString()} and ${line.raw.toString()}`);
    }
  }
  return [...seen.values()];
};

if (import.meta.main) {
  const [, , socketPath = '', directory = ''] = process.argv;
  await serveOwn(socketPath, directory);
  process.stdout.write('ready\n');
}
