import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { micros } from '#base/clock';
import { openBackpressure } from './backpressure.ts';
import type { OwnLine } from './own-line.ts';

/** Time is the test's, so that a minute need not pass. */
const held = (t: { after(then: () => void): void }, senders: ReadonlyMap<string, number>) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  const said: OwnLine[] = [];
  let now = 0;
  let space: 'available' | 'full' = 'available';
  const backpressure = openBackpressure({
    clock: { now: () => micros(now * 1000), elapsed: () => now },
    ledger: { say: (line) => said.push(line) },
    space: () => space,
    listeners: () => [{ name: 'syslog-tcp=127.0.0.1:514', senders: () => senders }],
  });
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 100) {
      now += 100;
      mock.timers.tick(100);
    }
  };
  return { said, backpressure, pass, fill: (state: 'available' | 'full') => (space = state) };
};

describe('backpressure', () => {
  it('tells once for each sender how often and how long it was held back', (t) => {
    const { said, backpressure, pass } = held(
      t,
      new Map([
        ['192.0.2.1', 3],
        ['::ffff:192.0.2.2', 1],
      ]),
    );
    pass(2000);
    assert.deepEqual(said, []);
    for (let i = 0; i < 3; i += 1) {
      backpressure.onPressure('high');
      pass(200);
      backpressure.onPressure('low');
      pass(300);
    }
    pass(3000);
    assert.deepEqual(
      said.map(({ kind, cause, listener, sender, count, seconds, state, since }) => [
        [kind, cause, listener, sender],
        [count, seconds, state, since],
      ]),
      ['192.0.2.1', '192.0.2.2'].map((sender) => [
        ['backpressure', 'disk behind', 'syslog-tcp=127.0.0.1:514', sender],
        [3, 0.6, 'over', '1970-01-01T00:00:02.000000Z'],
      ]),
    );
  });

  it('says each minute that it lasts, and names at most a hundred senders', (t) => {
    const many = new Map(Array.from({ length: 150 }, (_, i) => [`192.0.2.${i}`, 1]));
    const { said, backpressure, pass } = held(t, many);
    backpressure.onPressure('high');
    pass(61_000);
    assert.equal(said.length, 101);
    assert.deepEqual([said[100]?.['sender'], said[100]?.['senders']], [null, 50]);
    assert.deepEqual([said[0]?.['state'], said[0]?.['seconds']], ['lasting', 60]);
    backpressure.stop();
    assert.deepEqual([said[101]?.['state'], said[101]?.['seconds']], ['over', 1]);
  });

  it('waits for space to say that the disk is full', (t) => {
    const { said, backpressure, pass, fill } = held(t, new Map());
    fill('full');
    backpressure.onPressure('high');
    pass(200_000);
    assert.deepEqual(said, []);
    fill('available');
    backpressure.onPressure('low');
    pass(1000);
    assert.deepEqual(
      said.map(({ cause, seconds, listener }) => [cause, seconds, listener]),
      [['disk full', 200, null]],
    );
  });
});
