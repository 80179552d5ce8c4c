import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { field, fieldsRead } from '#wire/fields';
import { answer as answerSchema } from '#wire/search';
import { bodyOf, serveVault, type ServedVault } from '../testing/served-vault.ts';

describe('fields', () => {
  let served: ServedVault;

  before(async () => {
    served = await serveVault(
      Array.from({ length: 12 }, (_, n) => ({
        raw: `<13>1 2026-05-12T02:00:00Z h ${n < 10 ? 'login' : 'other'} - - - user=${n < 7 ? 'alice' : 'bob'} n=${n}${n === 0 ? ' user=carol' : ''}`,
      })),
    );
    await served.add([{ raw: '<13>1 2026-05-12T02:00:00Z h login - - - without' }]);
  });
  after(() => served.remove());

  const ask = async (body: unknown): Promise<unknown[]> =>
    (await bodyOf(await served.call('POST', '/fields', body)))
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));

  it('counts lines that have a field, however often, and its values', async () => {
    const lines = await ask({ values: 2 });
    const names = lines.slice(0, -2).map((line) => field.parse(line).name);
    assert.deepEqual(names.toSorted(), ['n', 'user']);
    const user = lines.map((line) => field.safeParse(line).data).find((one) => one?.name === 'user');
    assert.deepEqual(user, {
      name: 'user',
      lines: 12,
      share: 0.9231,
      values: [
        { value: 'alice', lines: 7 },
        { value: 'bob', lines: 5 },
      ],
    });
    assert.deepEqual(fieldsRead.parse(lines.at(-2)).read, { lines: 13, of: 13, fields: 2 });
    assert.equal(answerSchema.parse(lines.at(-1)).answer.count, 13);
  });

  it('never counts more lines with a value than there are, and says where it may be more', async () => {
    const many = Array.from({ length: 2000 }, (_, n) => ({
      raw: `<13>1 2026-05-12T02:00:00Z h many - - - id=${n} half=${n % 2}`,
    }));
    const more = Array.from({ length: 50 }, () => ({
      raw: '<13>1 2026-05-12T02:00:00Z h many - - - id=often',
    }));
    await served.add([...many, ...more]);
    const found = (await ask({ query: 'app:many', values: 50 })).flatMap(
      (line) => field.safeParse(line).data ?? [],
    );
    const ids = found.find(({ name }) => name === 'id')?.values ?? [];
    assert.equal(ids.length, 50);
    for (const { value, lines, atLeast } of ids) {
      assert.ok(lines <= (value === 'often' ? 50 : 1), `${value}: ${lines}`);
      assert.equal(atLeast, true);
    }
    assert.deepEqual(found.find(({ name }) => name === 'half')?.values, [
      { value: '0', lines: 1000 },
      { value: '1', lines: 1000 },
    ]);
  });

  it('counts those of a query, as many as are asked for', async () => {
    const lines = await ask({ query: 'app:other', limit: 1 });
    assert.equal(field.parse(lines[0]).lines, 2);
    assert.deepEqual(fieldsRead.parse(lines.at(-2)).read, { lines: 2, of: 2, fields: 2 });
  });
});
