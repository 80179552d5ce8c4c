import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { micros, type Micros } from '#base/clock';
import { counts as countsSchema, type Counts, type CountsRequest } from '#wire/counts';
import { answer as answerSchema, searchError, type Answer } from '#wire/search';
import { bodyOf, serveVault, type ServedVault } from '../testing/served-vault.ts';
import { stepFor } from './histogram.ts';

const at = (time: string): Micros => micros(Date.parse(`2026-05-12T${time}Z`) * 1000);

const line = (time: string, priority: number, host: string, app: string, message: string) => ({
  raw: `<${priority}>1 2026-05-12T${time}Z ${host} ${app} - - - ${message}`,
  received: at(time),
});

describe('counting lines', () => {
  let served: ServedVault;
  before(async () => {
    served = await serveVault([
      line('02:00:10', 11, 'web1', 'shop', 'user=alice one'),
      line('02:00:20', 14, 'web1', 'shop', 'user=bob two'),
      line('02:00:30', 14, 'web2', 'shop', 'user=alice three'),
      line('02:02:00', 14, 'web2', 'sshd', 'four'),
      line('02:03:59', 11, 'web1', 'sshd', 'five'),
    ]);
  });
  after(() => served.remove());

  const count = async (
    asked: CountsRequest,
  ): Promise<{ counts: Counts['counts']; answer: Answer['answer'] }> => {
    const response = await served.call('POST', '/counts', asked);
    const text = await bodyOf(response);
    assert.equal(response.statusCode, 200, text);
    const [counted = '', answered = ''] = text.trimEnd().split('\n');
    return {
      ...countsSchema.parse(JSON.parse(counted)),
      ...answerSchema.parse(JSON.parse(answered)),
    };
  };

  it('gives the total, and what it is worth', async () => {
    const { counts, answer } = await count({ query: 'app:shop' });
    assert.equal(answer.count, 3);
    assert.equal(answer.integrity.verdict, 'unaltered');
    assert.deepEqual(counts, { by: [], groups: [], others: { groups: 0, count: 0 }, histogram: null });
  });

  it('counts by several names, and tells of the groups that are not listed', async () => {
    const { counts } = await count({ query: '', by: ['host', 'program'], top: 2 });
    assert.deepEqual(counts.groups, [
      { values: ['web1', 'shop'], count: 2 },
      { values: ['web1', 'sshd'], count: 1 },
    ]);
    assert.deepEqual(counts.others, { groups: 2, count: 2 });
  });

  it('counts by fields and severities, with those that have none', async () => {
    const { counts } = await count({ query: '', by: ['user'] });
    assert.deepEqual(counts.groups, [
      { values: [null], count: 2 },
      { values: ['alice'], count: 2 },
      { values: ['bob'], count: 1 },
    ]);
    assert.deepEqual((await count({ query: 'user=*', by: ['severity'] })).counts.groups, [
      { values: ['info'], count: 2 },
      { values: ['err'], count: 1 },
    ]);
  });

  it('counts over time without holes, errors apart', async () => {
    const { counts } = await count({
      query: 'since:"2026-05-12 02:00" until:"2026-05-12 02:05"',
      bars: 5,
    });
    assert.equal(counts.histogram?.step, 60);
    assert.deepEqual(
      counts.histogram?.bars.map((bar) => [bar.from.slice(11, 19), bar.count, bar.errors]),
      [
        ['02:00:00', 3, 1],
        ['02:01:00', 0, 0],
        ['02:02:00', 1, 0],
        ['02:03:00', 1, 1],
        ['02:04:00', 0, 0],
      ],
    );
    const found = (await count({ query: 'app:sshd', bars: 3 })).counts.histogram;
    assert.deepEqual(
      found?.bars.map((bar) => bar.count),
      [1, 1],
    );
  });

  it('takes round steps that are wide enough', () => {
    const hour = 3600 * 1_000_000;
    const begin = at('00:00:00');
    assert.equal(stepFor(begin, begin, 30), 1);
    assert.equal(stepFor(begin, micros(begin + hour - 1), 30), 120);
    assert.equal(stepFor(begin, micros(begin + 24 * hour - 1), 30), 3600);
    assert.equal(stepFor(micros(0), begin, 2), 86_400 * 365 * 57);
  });

  it('says what cannot be counted by, and what was meant', async () => {
    for (const [by, said] of [
      ['since', /user/],
      ['hots', /host/],
    ] as const) {
      const response = await served.call('POST', '/counts', { query: '', by: [by] });
      assert.equal(response.statusCode, 400);
      const { error } = searchError.parse(JSON.parse(await bodyOf(response)));
      assert.match(error.suggestion ?? '', said);
    }
  });

  it('is not done where a search only looks for the last lines', async () => {
    const { hits, answer } = await served.find('', { limit: 2, total: 'skip' });
    assert.deepEqual(
      hits.map(({ message }) => message),
      ['four', 'five'],
    );
    assert.deepEqual([answer.count, answer.countIs], [3, 'at least']);
    const all = (await served.find('', { limit: 5, total: 'skip' })).answer;
    assert.deepEqual([all.count, all.countIs], [5, undefined]);
    const counted = (await served.find('', { limit: 2 })).answer;
    assert.deepEqual([counted.count, counted.countIs], [5, undefined]);
  });

  it('counts under none the lines that a query for none finds', async () => {
    const bare = await served.add([
      { raw: 'no priority, no program', received: at('03:00:00') },
      line('03:00:01', 14, 'web1', 'shop', '{"user":"","message":"an empty user"}'),
      line('03:00:02', 14, 'web1', 'shop', ''),
      { raw: '<14>1 2026-05-12T03:00:03Z web1 shop 7 - - with a pid', received: at('03:00:03') },
    ]);
    for (const [by, query] of [
      ['app', 'app:""'],
      ['severity', '-severity:*'],
      ['facility', '-facility:*'],
      ['pid', '-pid:>=0'],
      ['message', '/^$/'],
      ['user', '(-user=* OR user="")'],
    ] as const) {
      const none = (await count({ query: '', by: [by] })).counts.groups.find(
        ({ values }) => values[0] === null,
      );
      const { answer } = await served.find(query);
      assert.ok(answer.count > 0, query);
      assert.equal(answer.count, none?.count, query);
    }
    assert.equal((await served.find('app:""')).hits[0]?.address, `${bare}:1`);
  });
});
