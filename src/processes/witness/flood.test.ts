import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { newTestLog } from '../../witness/testing/test-log.ts';
import { init, post, start } from './testing/started.ts';

test('250 connections that ask and ask, and take no answer, are cut off; it serves on and stays small', async (t) => {
  const log = newTestLog();
  const { state, file } = init(t, log);
  const { process: child, url } = await start(t, '--state', state, '--log', file, '--listen', '127.0.0.1:0');
  const rss = (): number =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
  assert.equal((await post(url(), log.submission(0, 3))).status, 200);
  const before = rss();
  const asked = Buffer.from('GET /x HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000));
  const sockets = Array.from({ length: 250 }, () => {
    const socket = connect(Number(new URL(url()).port), '127.0.0.1');
    const send = (): void => {
      while (!socket.destroyed && socket.write(asked));
    };
    return socket
      .on('error', () => undefined)
      .on('connect', send)
      .on('drain', send)
      .pause();
  });
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  let most = 0;
  const cutOff = (): number => sockets.filter(({ destroyed }) => destroyed).length;
  for (let looked = 0; looked < 40 || (cutOff() <= 200 && looked < 1200); looked++) {
    await wait(50);
    most = Math.max(most, rss());
  }
  const began = performance.now();
  assert.equal((await post(url(), log.submission(3, 9))).status, 200);
  assert.ok(performance.now() - began < 30_000, 'an honest client is served meanwhile');
  assert.ok(most < before + 150, `${most} MB, ${before} MB before`);
  assert.ok(cutOff() > 200, 'who takes no answer is cut off');
});
