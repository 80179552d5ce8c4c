import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export type Receiver = {
  ownSocket: string;
  takes: boolean;
  /** What it acknowledges with: usually more than was sent, so all of it. */
  durable: bigint;
  /** So many connections are ended at once. */
  turnsAway: number;
  taken: () => string;
};

/** Takes every connection, and acknowledges what comes as soon as it `takes`. */
export const receiver = async (t: TestContext): Promise<Receiver> => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-own-'));
  let taken = '';
  const its: Receiver = {
    ownSocket: join(directory, 'own.sock'),
    takes: false,
    durable: 1000n,
    turnsAway: 0,
    taken: () => taken,
  };
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    if (its.turnsAway-- > 0) socket.destroy();
    socket.on('data', (chunk: Buffer) => {
      if (!its.takes) return;
      taken += chunk.toString('latin1');
      const number = Buffer.alloc(8);
      number.writeBigUInt64BE(its.durable);
      socket.write(number);
    });
  }).listen(its.ownSocket);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of connections) socket.destroy();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return its;
};
