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
    await until(() => bodies(receiver).length === 3 || losses(receiver).has('torn body'), 20_000);
    const stored = bodies(receiver).length;
    await wait(50);
    assert.equal((await post(port, '/ingest', 'b')).status, 200);
    assert.equal((await post(port, '/ingest', 'c')).status, 200);
    assert.deepEqual(flags().slice(stored), [stored === 3 ? Flag.possibleRedelivery : 0, 0]);
  });

  it('is suspected of the first bodies after a start, unless they have a key', async (t) => {
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
      [0, ...Array.from({ length: 4 }, () => Flag.possibleRedelivery), 0],
    );
  });
});
