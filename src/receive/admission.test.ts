import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openAdmission } from './admission.ts';

const limits = { connections: 6, ofSender: 3, connectsOfSender: 2 };

describe('admission', () => {
  it('leaves room for others when one sender takes all it may', () => {
    const admission = openAdmission({ ...limits, connectsOfSender: 100 }, { elapsed: () => 0 });
    const one = Array.from({ length: 5 }, () => admission.enter('192.0.2.1'));
    assert.deepEqual(one, [null, null, null, 'sender connections', 'sender connections']);
    assert.equal(admission.enter('192.0.2.2'), null);
    admission.leave('192.0.2.1');
    assert.equal(admission.enter('192.0.2.1'), null);
    assert.deepEqual(
      [admission.enter('192.0.2.3'), admission.enter('192.0.2.4'), admission.enter('192.0.2.5')],
      [null, null, 'connection limit'],
    );
  });

  it('counts the addresses of an IPv6 /64 as one sender', () => {
    const admission = openAdmission({ ...limits, connectsOfSender: 100 }, { elapsed: () => 0 });
    const one = Array.from({ length: 4 }, (_, n) => admission.enter(`2001:db8:1:2::${n}`));
    assert.deepEqual(one, [null, null, null, 'sender connections']);
    assert.equal(admission.enter('2001:db8:1:3::1'), null);
    admission.leave('2001:db8:1:2::2');
    assert.equal(admission.enter('2001:db8:1:2::9'), null);
  });

  it('holds a sender to its rate of new connections, after a burst', () => {
    let now = 0;
    const admission = openAdmission(limits, { elapsed: () => now });
    const connect = (): string | null => {
      const refused = admission.enter('192.0.2.1');
      if (refused === null) admission.leave('192.0.2.1');
      return refused;
    };
    const burst = Array.from({ length: 9 }, connect);
    assert.deepEqual(burst, [...Array.from({ length: 8 }, () => null), 'sender connects']);
    now += 499;
    assert.equal(connect(), 'sender connects');
    now += 501;
    assert.deepEqual([connect(), connect(), connect()], [null, null, 'sender connects']);
  });
});
