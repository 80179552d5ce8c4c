import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { answer as answerSchema } from '#wire/search';
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
    assert.ok(performance.now() - started < 30_000, 'it waits for something else');
    assert.equal((await follower.next())['address'], `${entry}:3`);
    const byName = await tail({ query: 'app:brandnew' });
    const next = await served.grown.grow([{ raw: '<13>May 12 03:00:00 h brandnew: first of its name' }]);
    assert.equal((await byName.next())['address'], `${next}:1`);
    follower.response.destroy();
    byName.response.destroy();
  });

  it('goes on where a follower was, without a line twice or none', async () => {
    const first = await tail({ query: 'resumed', resume: null });
    const { position } = await first.next();
    assert.match(String(position), /^\d+:0\/0$/);
    const many = Array.from({ length: 2500 }, (_, at) => ({ raw: `resumed ${at}` }));
    const entry = await served.add(many);
    const addresses = many.map((_, at) => `${entry}:${at + 1}`);
    // All came at once: the older ones are left out, and counted, and it is said where it goes on.
    const { dropped } = await first.next();
    assert.equal(dropped, 1500);
    assert.equal((await first.next())['position'], `${entry}:1501/0`);
    assert.equal((await first.next())['address'], `${entry}:1501`);
    first.response.destroy();
    for (const [from, skipped] of [
      [position, 0],
      [`${entry}:7/1`, 7],
    ] as const) {
      const again = await tail({ query: 'resumed', backlog: 5, resume: from });
      assert.equal((await again.next())['position'], from);
      for (const address of addresses.slice(skipped)) assert.equal((await again.next())['address'], address);
      const late = await served.add([{ raw: 'resumed late' }]);
      assert.equal((await again.next())['address'], `${late}:1`);
      again.response.destroy();
      addresses.push(`${late}:1`);
    }
    const ahead = await tail({ query: 'resumed', resume: `${served.index.state().indexed}:2/1` });
    await ahead.next();
    const next = await served.add([{ raw: 'resumed a' }, { raw: 'resumed b' }, { raw: 'resumed c' }]);
    assert.equal((await ahead.next())['address'], `${next}:3`);
    ahead.response.destroy();
    assert.equal((await served.call('POST', '/tail', { resume: '1' })).statusCode, 400);
  });

  it('says what its first lines are worth', async () => {
    const follower = await tail({ query: 'password', backlog: 2, answers: true });
    for (const address of ['0:1', '0:2']) assert.equal((await follower.next())['address'], address);
    const { answer } = answerSchema.parse(await follower.next());
    assert.deepEqual([answer.count, answer.integrity.verdict], [2, 'unaltered']);
    assert.match(answer.integrity.detail, /1 entry with lines shown were found to match again/);
    follower.response.destroy();
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
