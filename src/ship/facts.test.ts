import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#base/clock';
import { connectOwn } from './deliver.ts';
import { sendFacts } from './facts.ts';
import { distinct, receivedIn, serveOwn } from './testing/own-server.ts';
import { place, quiet, until } from './testing/place.ts';

const clock = systemClock();

test('a fact is sent when it is new, when it changes and when it no longer holds, also over a restart', async (t) => {
  const at = place(t);
  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  const open = () =>
    connectOwn({ socket: at.socket, spool: at.spool, sender: 't', stream: 't', clock, log: quiet().log });
  const first = await open();
  await sendFacts(
    first,
    [
      { name: 'a', value: { port: 1 } },
      { name: 'b', value: [] },
    ],
    clock,
  );
  await sendFacts(
    first,
    [
      { name: 'a', value: { port: 1 } },
      { name: 'b', value: [] },
    ],
    clock,
  );
  await first.close(1000);
  const second = await open();
  at.after(() => second.close(0));
  await sendFacts(second, [{ name: 'a', value: { port: 2 } }], clock);
  await sendFacts(second, [{ name: 'a', value: { port: 2 } }], clock);
  await until('all is acknowledged', () => second.backlog().lines === 0);
  const facts = distinct(receivedIn(at.received)).map((got) => {
    assert.equal(got.meta.via, 'fact');
    const { kind, name, value } = JSON.parse(got.raw.toString());
    assert.equal(kind, 'fact');
    return [name, value];
  });
  assert.deepEqual(facts, [
    ['a', { port: 1 }],
    ['b', []],
    ['a', { port: 2 }],
    ['b', null],
  ]);
});

test('what is new is told of once, and its end, but not what was there from the first', async (t) => {
  const at = place(t);
  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  const deliverer = await connectOwn({
    socket: at.socket,
    spool: at.spool,
    sender: 't',
    stream: 't',
    clock,
    log: quiet().log,
  });
  at.after(() => deliverer.close(0));
  const door = (name: string, value: number) => ({
    name,
    value,
    news: {
      opened: { kind: 'door', event: 'opened', name },
      closed: { kind: 'door', event: 'closed', name },
    },
  });
  await sendFacts(deliverer, [door('a', 1)], clock);
  await sendFacts(deliverer, [door('a', 1), door('b', 1)], clock);
  await sendFacts(deliverer, [door('a', 2), door('b', 1)], clock);
  await sendFacts(deliverer, [door('b', 1)], clock);
  await until('all is acknowledged', () => deliverer.backlog().lines === 0);
  const told = distinct(receivedIn(at.received)).flatMap(({ meta, raw }) => {
    const { kind, event, name } = JSON.parse(raw.toString());
    return meta.via === 'self' ? [[kind, event, name]] : [];
  });
  assert.deepEqual(told, [
    ['door', 'opened', 'b'],
    ['door', 'closed', 'a'],
  ]);
});

test('a fact that was sent before its end had a line of its own is told of when it ends', async (t) => {
  const at = place(t);
  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  const open = () =>
    connectOwn({ socket: at.socket, spool: at.spool, sender: 't', stream: 't', clock, log: quiet().log });
  const before = await open();
  await sendFacts(before, [{ name: 'a', value: 1 }], clock);
  const news = { opened: { kind: 'door', event: 'opened' }, closed: { kind: 'door', event: 'closed' } };
  await sendFacts(before, [{ name: 'a', value: 1, news }], clock);
  await before.close(1000);
  const after = await open();
  at.after(() => after.close(0));
  await sendFacts(after, [], clock);
  await until('all is acknowledged', () => after.backlog().lines === 0);
  const said = distinct(receivedIn(at.received)).map(({ raw }) => {
    const { kind, event, value } = JSON.parse(raw.toString());
    return [kind, event ?? value];
  });
  assert.deepEqual(said, [
    ['fact', 1],
    ['fact', null],
    ['door', 'closed'],
  ]);
});
