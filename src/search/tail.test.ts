import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { serveVault, type ServedVault } from './testing/served-vault.ts';

describe('tail', () => {
  let served: ServedVault;

  before(async () => {
    served = await serveVault([{ raw: 'password one' }, { raw: 'password two' }, { raw: 'other' }]);
  });
  after(() => served.remove());

  const tail = async (
    asked: unknown,
  ): Promise<{ next(): Promise<Record<string, unknown>>; response: IncomingMessage }> => {
    const response = await served.call('POST', '/tail', asked);
    assert.equal(response.statusCode, 200);
    const iterator = createInterface({ input: response })[Symbol.asyncIterator]();
    return { response, next: async () => JSON.parse(String((await iterator.next()).value)) };
  };

  it('follows: what is there already, then what matches, soon after it is committed', async () => {
    const follower = await tail({ query: 'password OR tailed', backlog: 1 });
    assert.equal((await follower.next())['address'], '0:2');
    const entry = await served.grown.grow([
      { raw: '<13>May 12 03:00:00 h newapp: not this' },
      { raw: '<13>May 12 03:00:00 h newapp: tailed one' },
      { raw: 'tailed two' },
    ]);
    const started = performance.now();
    assert.equal((await follower.next())['address'], `${entry}:2`);
    assert.ok(performance.now() - started < 1000, 'took over a second');
    assert.equal((await follower.next())['address'], `${entry}:3`);
    const byName = await tail({ query: 'app:brandnew' });
    const next = await served.grown.grow([{ raw: '<13>May 12 03:00:00 h brandnew: first of its name' }]);
    assert.equal((await byName.next())['address'], `${next}:1`);
    follower.response.destroy();
    byName.response.destroy();
  });

  it('drops and counts for a reader that is too slow, and loses count of nothing', async () => {
    const response = await served.call('POST', '/tail', { query: 'flood' });
    response.pause();
    const padding = 'x'.repeat(2000);
    const batches = 10;
    const perBatch = 3000;
    for (let batch = 0; batch < batches; batch += 1) {
      await served.add(
        Array.from({ length: perBatch }, (_, i) => ({ raw: `flood ${batch} ${i} ${padding}` })),
      );
    }
    let hits = 0;
    let dropped = 0;
    for await (const line of createInterface({ input: response })) {
      const value: { dropped?: number } = JSON.parse(line);
      if (value.dropped === undefined) hits += 1;
      else dropped += value.dropped;
      if (hits + dropped === batches * perBatch) break;
    }
    assert.ok(dropped > 0, 'nothing was dropped');
    assert.equal(hits + dropped, batches * perBatch);
  });
});
