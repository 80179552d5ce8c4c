import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Flag } from '#vault/record';
import { post } from '../testing/http-client.ts';
import { bodies, losses } from '../testing/http-stored.ts';
import { dial, start, until } from '../testing/receiver.ts';
import { openRepeats } from './repeats.ts';

describe('HTTP: the same body again', () => {
  const send = (agent: Agent, port: number, body: string, headers: Record<string, string> = {}) => {
    const sent = request({ port, host: '127.0.0.1', path: '/ingest', method: 'POST', agent, headers });
    sent.on('error', () => undefined);
    sent.end(body);
    return sent;
  };

  it('is marked where the answer to the first may have been lost, and only there', async (t) => {
    const receiver = await start(t, ['http']);
    const port = receiver.port('http');
    const flags = () => bodies(receiver).map((delivery) => delivery.flags);
    assert.equal((await post(port, '/ingest', 'a')).status, 200);
    assert.equal((await post(port, '/ingest', 'a')).status, 200);
    assert.deepEqual(flags(), [0, 0]);
    // Goes away as soon as it has sent its body.
    const socket = await dial(port);
    socket.on('error', () => undefined);
    socket.write('POST /ingest HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nb', () =>
      socket.resetAndDestroy(),
    );
    await until(() => bodies(receiver).length === 3 || losses(receiver).has('torn body'));
    const stored = bodies(receiver).length;
    await wait(50);
    assert.equal((await post(port, '/ingest', 'b')).status, 200);
    assert.equal((await post(port, '/ingest', 'c')).status, 200);
    assert.deepEqual(flags().slice(stored), [stored === 3 ? Flag.possibleRedelivery : 0, 0]);
  });

  it('is marked in all its runs, where the first was stored and its answer never came', async (t) => {
    const receiver = await start(t, ['http'], { http: { lines: 1000 } });
    const port = receiver.port('http');
    const body = Array.from({ length: 300 }, (_, n) => `{"n":${n}}\n`).join('');
    const socket = await dial(port);
    socket.on('error', () => undefined);
    socket.write(
      `POST /ingest HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 1500)}`,
    );
    await until(() => bodies(receiver).length > 0);
    socket.resetAndDestroy();
    await until(() => losses(receiver).has('torn body'));
    const before = bodies(receiver).length;
    assert.equal((await post(port, '/ingest', body)).status, 200);
    const again = bodies(receiver).slice(before);
    assert.ok(again.length > 2);
    for (const { flags } of again) assert.equal(flags, Flag.possibleRedelivery);
    const copied = bodies(receiver).length;
    assert.equal((await post(port, '/ingest', body.slice(7))).status, 200);
    for (const { flags } of bodies(receiver).slice(copied)) assert.equal(flags, 0);
  });

  it('is suspected after a start until an answer gets through, unless it has a key', async (t) => {
    const receiver = await start(t, ['http'], {}, '127.0.0.1', ({ intake }) => {
      // What a receiver before this one has left.
      writeFileSync(join(intake, '000000000001-00000000.intake'), '');
    });
    const agent = new Agent();
    const port = receiver.port('http');
    for (const [n, headers] of [{ 'idempotency-key': 'k' }, {}, {}, {}, {}, {}].entries()) {
      const [response] = await once(send(agent, port, `body ${n}`, headers), 'response');
      response.resume();
      await once(response, 'end');
    }
    assert.deepEqual(
      bodies(receiver).map(({ flags }) => flags),
      [0, Flag.possibleRedelivery, 0, 0, 0, 0],
    );
  });
});

describe('what may have come before', () => {
  const minuteMs = 60_000;
  const at = { now: 0 };
  const clock = { elapsed: () => at.now };

  it('after a start: everything of a sender, for ten minutes or until it has had an answer', () => {
    at.now = 0;
    const repeats = openRepeats(clock, 'again');
    for (let n = 0; n < 100; n += 1) assert.ok(repeats.isPossible('a', `body ${n}`));
    repeats.answered('a');
    assert.ok(!repeats.isPossible('a', 'body 0'));
    assert.ok(repeats.isPossible('b', 'body 0'));
    at.now = 11 * minuteMs;
    assert.ok(!repeats.isPossible('b', 'body 0'));
    assert.ok(!openRepeats(clock, 'new').isPossible('a', 'body'));
  });

  it('where more was unanswered than is remembered: everything, for a while', () => {
    at.now = 0;
    const repeats = openRepeats(clock, 'new');
    for (let n = 0; n < 200; n += 1) repeats.unanswered('a', `body ${n}`);
    assert.ok(repeats.isPossible('a', 'body 0'));
    assert.ok(!repeats.isPossible('a', 'another'));
    for (let n = 200; n < 400; n += 1) repeats.unanswered('a', `body ${n}`);
    repeats.answered('a');
    assert.ok(repeats.isPossible('a', 'body 0'), 'it is forgotten, and all are suspected');
    at.now = 11 * minuteMs;
    assert.ok(!repeats.isPossible('a', 'another'));
    assert.ok(repeats.isPossible('a', 'body 399'));
  });

  it('where a sender was forgotten for others: of newcomers, for a while', () => {
    at.now = 0;
    const repeats = openRepeats(clock, 'new');
    repeats.unanswered('a', 'body');
    for (let n = 0; n < 1024; n += 1) repeats.answered(`sender ${n}`);
    assert.ok(repeats.isPossible('a', 'body'));
    assert.ok(!repeats.isPossible('sender 1000', 'body'));
  });
});
