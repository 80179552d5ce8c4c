import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openShares } from './shares.ts';

describe('shares of datagram senders', () => {
  it('takes everything while the disk keeps up', () => {
    const shares = openShares({ perSecond: Infinity, dropAbove: 1000 }, { elapsed: () => 0 });
    const flood = shares.of('192.0.2.1');
    for (let i = 0; i < 10_000; i += 1) assert.equal(shares.take(flood, 100, 500), null);
  });

  it('drops of the one who floods, and hears the other, once the disk is behind', () => {
    const shares = openShares({ perSecond: Infinity, dropAbove: 1000 }, { elapsed: () => 0 });
    const [flood, quiet] = [shares.of('192.0.2.1'), shares.of('192.0.2.2')];
    const refused = { flood: 0, quiet: 0 };
    for (let i = 0; i < 1000; i += 1) {
      if (shares.take(flood, 100, 600) !== null) refused.flood += 1;
      if (i % 100 === 0 && shares.take(quiet, 100, 600) !== null) refused.quiet += 1;
    }
    assert.equal(refused.quiet, 0);
    assert.ok(refused.flood > 900, `${refused.flood} of the flood were dropped`);
    assert.equal(shares.take(quiet, 100, 1001), 'receiver congested');
  });

  it('takes the addresses of an IPv6 /64 for one sender', () => {
    const shares = openShares({ perSecond: 2, dropAbove: 1000 }, { elapsed: () => 0 });
    const taken = Array.from({ length: 4 }, (_, n) => shares.take(shares.of(`2001:db8:1:2::${n}`), 100, 0));
    assert.deepEqual(taken, [null, null, 'sender rate', 'sender rate']);
    assert.equal(shares.take(shares.of('2001:db8:1:3::1'), 100, 0), null);
  });

  it('lets one sender alone fill what there is', () => {
    const shares = openShares({ perSecond: Infinity, dropAbove: 1000 }, { elapsed: () => 0 });
    const alone = shares.of('192.0.2.1');
    for (let i = 0; i < 100; i += 1) assert.equal(shares.take(alone, 100, 999), null);
    assert.equal(shares.take(alone, 100, 1001), 'receiver congested');
  });

  it('holds each sender to the rate that was asked for', () => {
    let now = 0;
    const shares = openShares({ perSecond: 10, dropAbove: 1000 }, { elapsed: () => now });
    const [one, other] = [shares.of('192.0.2.1'), shares.of('192.0.2.2')];
    const taken = Array.from({ length: 12 }, () => shares.take(one, 1, 0));
    assert.deepEqual(taken.slice(9), [null, 'sender rate', 'sender rate']);
    assert.equal(shares.take(other, 1, 0), null);
    now = 100;
    assert.equal(shares.take(one, 1, 0), null);
    assert.equal(shares.take(one, 1, 0), 'sender rate');
  });
});
