import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '#base/clock';
import { search } from './search.ts';
import { serveVault, type ServedVault } from './testing/served-vault.ts';
import { warmUp } from './warm-up.ts';

describe('what is asked after a start', () => {
  let served: ServedVault;
  const clock = systemClock();

  before(async () => {
    served = await serveVault(
      ['user alice 4711aaaa', 'user bob 4711bbbb', '- -'].map((message) => ({
        raw: `<14>1 2026-05-12T02:00:00Z web1 app - - - ${message}`,
      })),
      { wordsFrom: 1 },
    );
  });
  after(() => served.remove());

  it('are the longest words of the newest lines, as soon as words are listed, and nobody has read them', async () => {
    const asked: string[] = [];
    const words = await warmUp(
      served.index,
      clock,
      new AbortController().signal,
      (index, request, ...rest) => {
        asked.push(request.query);
        assert.ok(index.words() !== null);
        return search(index, request, ...rest);
      },
    );
    assert.deepEqual(words.toSorted(), ['4711aaaa', '4711bbbb']);
    assert.deepEqual(asked.toSorted(), ['', '"4711aaaa"', '"4711bbbb"']);
    assert.deepEqual(served.reads, []);
  });

  it('is nothing once the process is to end', async () => {
    const index = { ...served.index, words: () => null };
    const ending = new AbortController();
    const warming = warmUp(index, clock, ending.signal, () => assert.fail('asked'));
    ending.abort();
    assert.deepEqual(await warming, []);
  });
});
