import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { micros } from '#base/clock';
import { compileByWords, type Compiled } from './query/compile.ts';
import { parseQuery } from './query/parse.ts';
import { prepareQuery } from './query/prepare.ts';
import { serveVault, type ServedVault } from './testing/served-vault.ts';

describe('what a query asks of the indices', () => {
  let served: ServedVault;
  before(async () => {
    served = await serveVault([
      { raw: '<4>1 2026-05-12T02:40:00Z fw1 kernel - - - IN=eth0 SRC=10.9.8.7 user=alice' },
    ]);
  });
  after(() => served.remove());

  /** @param known what is in the list of words for each run */
  const compiledOf = async (text: string, known: readonly string[] | 'many'): Promise<Compiled[]> => {
    const { query, names } = await prepareQuery(served.index, parseQuery(text, micros(0)), 'true');
    return compileByWords(query, names, () => known);
  };

  /** How the engine goes about it. */
  const planOf = async ({ words, parameters }: Compiled): Promise<string> => {
    const rows = await served.index.engine.rows(
      'background',
      `EXPLAIN indexes = 1 SELECT count() FROM lines PREWHERE ${words}`,
      parameters,
    );
    return rows.map((row) => String(row['explain'])).join('\n');
  };

  it('are fields, and pairs that stand in the text', async () => {
    const compiled = await compiledOf('user=alice app', ['user']);
    assert.equal(compiled.length, 2);
    for (const [n, used] of [['field_tokens'], ['field_tokens', 'message_tokens']].entries()) {
      const [one] = compiled.slice(n);
      assert.ok(one !== undefined);
      const plan = await planOf(one);
      for (const index of used) assert.match(plan, new RegExp(`Name: ${index}`), plan);
    }
  });

  it('is an address, of which nothing else is asked', async () => {
    const [alone] = await compiledOf('10.9.8.7', 'many');
    assert.ok(alone?.told);
    assert.match(await planOf(alone), /Name: address_tokens/);
    // Its numbers are not asked for as words as well.
    const [inText] = await compiledOf('"from 10.9.8.7 port"', 'many');
    assert.match(inText?.words ?? '', /^has\(extractAll/);
    assert.ok(
      !Object.values(inText?.parameters ?? {})
        .flat()
        .includes('9'),
    );
  });
});
