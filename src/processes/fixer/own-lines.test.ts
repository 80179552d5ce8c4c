import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openOwnLines } from './own-lines.ts';

test('a receiver that takes the connection and acknowledges nothing does not hold a fix up', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-own-'));
  const ownSocket = join(directory, 'own.sock');
  const connections: Socket[] = [];
  const server = createServer((socket) => void connections.push(socket)).listen(ownSocket);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of connections) socket.destroy();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const lines = openOwnLines({ ownSocket }, 200);
  const entry = { n: 1, time: '2026-01-01T00:00:00Z', step: 'undo', outcome: 'ok', text: '' } as const;
  await lines.say('one', entry);
  assert.match(lines.away() ?? '', /did not take it within 0\.2 s/);
  await lines.say('one', { ...entry, n: 2 });
  lines.close();
});
