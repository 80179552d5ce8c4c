import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { savedSearch, type SavedSearch } from '#wire/saved';
import { answer as answerSchema } from '#wire/search';
import type { TestLine } from '../../index/testing/grown-vault.ts';
import { bodyOf, serveVault, type ServedVault } from '../testing/served-vault.ts';

const own = { listener: 'own', peer: 'indexer', meta: '{"via":"self","host":"h"}' };

/** What the indexer says of a call. */
const recordOf = (read: string, name: string, query: string, more: Partial<TestLine> = {}): TestLine => ({
  ...own,
  raw: JSON.stringify({
    kind: 'read',
    uid: 1000,
    user: 'alice',
    read,
    asked: { name, query },
    outcome: 'answered',
  }),
  ...more,
});

describe('saved searches', () => {
  let served: ServedVault;

  before(async () => {
    served = await serveVault([
      recordOf('save', 'kept', 'old'),
      recordOf('save', 'kept', 'app:sshd "failed"'),
      recordOf('save', 'gone', 'x'),
      recordOf('forget', 'gone', ''),
      recordOf('save', 'forged', 'x', {
        listener: 'syslog-tcp=127.0.0.1:5514',
        peer: '127.0.0.1:1',
        meta: '',
      }),
      recordOf('save', 'of-another', 'x', { peer: 'agent' }),
      {
        ...own,
        raw: JSON.stringify({
          kind: 'read',
          uid: 1,
          read: 'save',
          asked: { name: 'bad', query: 'a:b' },
          outcome: 'refused',
        }),
      },
    ]);
  });
  after(() => served.remove());

  const list = async (): Promise<SavedSearch[]> =>
    (await bodyOf(await served.call('POST', '/saved', {})))
      .split('\n')
      .filter((line) => line !== '')
      .slice(0, -1)
      .map((line) => savedSearch.parse(JSON.parse(line)));

  const post = async (path: string, body: unknown): Promise<number | undefined> => {
    const response = await served.call('POST', path, body);
    await bodyOf(response);
    return response.statusCode;
  };

  it('are what the indexer has a record of, the newest of each name', async () => {
    const { at, ...one } = (await list())[0] ?? { at: '' };
    assert.match(at, /Z$/);
    assert.deepEqual(one, { name: 'kept', query: 'app:sshd "failed"', by: 'alice' });
    assert.equal((await list()).length, 1);
  });

  it('are there at once when they are saved, and gone when they are forgotten', async () => {
    assert.equal(await post('/save', { name: 'new', query: 'host:web1 since:1h' }), 200);
    assert.equal(await post('/forget', { name: 'kept' }), 200);
    assert.deepEqual(
      (await list()).map(({ name, by }) => [name, by]),
      [['new', null]],
    );
    assert.equal(await post('/save', { name: 'kept', query: 'again' }), 200);
    await served.add([recordOf('save', 'new', 'host:web1 since:1h')]);
    assert.deepEqual(
      (await list()).map(({ name, query, by }) => [name, query, by]),
      [
        ['kept', 'again', null],
        ['new', 'host:web1 since:1h', 'alice'],
      ],
    );
  });

  it('come with what the answer is worth', async () => {
    const last = (await bodyOf(await served.call('POST', '/saved', {}))).trimEnd().split('\n').at(-1);
    const { answer } = answerSchema.parse(JSON.parse(last ?? ''));
    assert.deepEqual([answer.integrity.verdict, answer.count], ['unaltered', (await list()).length]);
  });

  it('stand for their query wherever one is asked, and may ask for each other', async () => {
    assert.equal(await post('/save', { name: 'own', query: 'app:holdfast kind=read' }), 200);
    assert.equal(await post('/save', { name: 'own-saves', query: '@own read=save' }), 200);
    const count = async (query: string): Promise<number> => (await served.find(query)).answer.count;
    assert.equal(await count('@own-saves'), await count('app:holdfast kind=read read=save'));
    for (const path of ['/counts', '/patterns', '/fields'])
      assert.equal(await post(path, { query: '@own-saves' }), 200, path);
    assert.equal(await post('/search', { query: '@nobody' }), 400);
    assert.equal(await post('/save', { name: 'own', query: '@own-saves' }), 400, 'it would ask for itself');
    assert.equal(await post('/forget', { name: 'own' }), 200);
    assert.equal(await post('/search', { query: '@own-saves' }), 400);
  });

  it('have a name that can be typed, and a query that can be asked', async () => {
    for (const body of [
      { name: 'a b', query: 'x' },
      { name: 'a', query: 'hots:b' },
      { name: 'a', query: '/x(/' },
      { name: 'a', query: '' },
    ])
      assert.equal(await post('/save', body), 400, JSON.stringify(body));
    assert.equal(await post('/forget', { name: 'nobody' }), 400);
  });
});
