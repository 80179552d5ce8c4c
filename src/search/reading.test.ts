import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  lchownSync,
  linkSync,
  lstatSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  answerChallenge,
  onBehalfHeader,
  readerChallenge,
  readerHeader,
  type ReaderChallenge,
} from '#wire/reader';
import { searchError } from '#wire/search';
import { bodyOf, serveVault, type ServedVault } from './testing/served-vault.ts';

const isRoot = process.getuid?.() === 0;

describe('every read is recorded, with who read', () => {
  let served: ServedVault;
  let noRoom = false;
  before(async () => {
    served = await serveVault(
      Array.from({ length: 30 }, (_, i) => ({ raw: `<13>May 12 03:00:00 h a: line ${i}` })),
      { refuseRecords: () => noRoom },
    );
  });
  after(() => served.remove());

  const challenge = async (): Promise<ReaderChallenge> =>
    readerChallenge.parse(JSON.parse(await bodyOf(await served.callUnproven('POST', '/reader'))));
  const read = (text: string, more: Record<string, string> = {}): Promise<IncomingMessage> =>
    served.callUnproven('POST', '/search', { query: 'line' }, { [readerHeader]: text, ...more });
  const codeOf = async (response: IncomingMessage): Promise<string> =>
    searchError.parse(JSON.parse(await bodyOf(response))).error.code;

  it('with what was asked, how many lines went out, and for whom', async () => {
    served.reads.length = 0;
    await served.find('line', { limit: 7 });
    await bodyOf(await served.call('POST', '/sql', { sql: 'SELECT message FROM lines LIMIT 3' }));
    await bodyOf(await served.call('POST', '/search', { query: '"open' }));
    const asked = await challenge();
    answerChallenge(asked);
    await bodyOf(await read(asked.text, { [onBehalfHeader]: '{"login":"1000"}' }));
    assert.deepEqual(
      served.reads.map(({ uid, read: route, asked: what, lines, outcome, for: whom }) => ({
        uid,
        route,
        what,
        lines,
        outcome,
        whom,
      })),
      [
        {
          route: 'search',
          what: { query: 'line', limit: 7 },
          lines: 7,
          outcome: 'answered',
          whom: undefined,
        },
        {
          route: 'sql',
          what: { sql: 'SELECT message FROM lines LIMIT 3' },
          lines: 3,
          outcome: 'answered',
          whom: undefined,
        },
        { route: 'search', what: { query: '"open' }, lines: 0, outcome: 'refused', whom: undefined },
        { route: 'search', what: { query: 'line' }, lines: 30, outcome: 'answered', whom: { login: '1000' } },
      ].map((one) => ({ uid: process.getuid?.() ?? -1, ...one })),
    );
  });

  it('a tail when it begins, before a line goes out, and when it is over', async () => {
    served.reads.length = 0;
    const response = await served.call('POST', '/tail', { backlog: 5 });
    let text = '';
    response.on('data', (piece) => (text += String(piece)));
    while (text.split('\n').length <= 5) await once(response, 'data');
    assert.deepEqual(
      served.reads.map(({ read: route, outcome }) => [route, outcome]),
      [['tail', 'begun']],
    );
    response.destroy();
    for (const end = performance.now() + 60_000; served.reads.length < 2; await sleep(10))
      assert.ok(performance.now() < end, 'its end was not recorded');
    const [begun, over] = served.reads;
    assert.deepEqual([over?.outcome, over?.lines, over?.reading], ['reader left', 5, begun?.reading]);
  });

  it('no answer where the record cannot be kept', async () => {
    noRoom = true;
    const response = await served.call('POST', '/search', { query: 'line' });
    assert.equal(response.statusCode, 503);
    assert.equal(await codeOf(response), 'unrecorded');
    noRoom = false;
    assert.equal((await served.find('line')).hits.length, 30);
  });

  it('a reader that shows nothing, or another link than was asked for, is refused', async () => {
    assert.equal((await served.callUnproven('POST', '/search', { query: '' })).statusCode, 401);
    assert.equal(await codeOf(await read('guessed')), 'unproven');

    const nothing = await challenge();
    assert.equal(await codeOf(await read(nothing.text)), 'unproven');
    answerChallenge(nothing);
    assert.equal(await codeOf(await read(nothing.text)), 'unproven', 'one look at each');

    const elsewhere = await challenge();
    symlinkSync('/etc/passwd', elsewhere.path);
    assert.equal(await codeOf(await read(elsewhere.text)), 'unproven');

    const file = await challenge();
    writeFileSync(file.path, file.text);
    assert.equal(await codeOf(await read(file.text)), 'unproven');

    const twice = await challenge();
    answerChallenge(twice);
    linkSync(twice.path, join(dirname(served.socket), 'kept'));
    assert.equal(await codeOf(await read(twice.text)), 'unproven', 'a link that has another name');
  });

  it('nothing that readers made is left, and nobody else may list or replace it', async () => {
    const directory = join(dirname(served.socket), 'readers');
    assert.equal(lstatSync(directory).mode & 0o7777, 0o1730);
    const asked = await challenge();
    answerChallenge(asked);
    assert.equal((await read(asked.text)).statusCode, 200);
    // What was made for a challenge that was looked at already stays until the next start.
    const left = readdirSync(directory).filter((name) => join(directory, name) === asked.path);
    assert.deepEqual(left, []);
  });

  it(
    'the uid is that of the link’s owner',
    { skip: !isRoot && 'only root can make links of others' },
    async () => {
      served.reads.length = 0;
      const asked = await challenge();
      answerChallenge(asked);
      lchownSync(asked.path, 4711, 4711);
      await bodyOf(await read(asked.text));
      assert.deepEqual(
        served.reads.map(({ uid }) => uid),
        [4711],
      );
    },
  );

  it(
    'who may make links cannot put one of another user’s in the place of their own',
    { skip: !isRoot && 'only root can try it as somebody else' },
    async () => {
      const asked = await challenge();
      answerChallenge(asked);
      const spare = `${asked.path}.spare`;
      symlinkSync(asked.text, spare);
      const directory = dirname(asked.path);
      // As a member of the directory's group.
      const { gid } = lstatSync(directory);
      const other = spawnSync(
        'setpriv',
        [
          '--reuid=4711',
          '--regid=4711',
          `--groups=${gid}`,
          'sh',
          '-c',
          `mv -T '${spare}' '${asked.path}' || rm -f '${asked.path}' || ls '${directory}'`,
        ],
        { encoding: 'utf8' },
      );
      assert.notEqual(other.status, 0);
      assert.match(other.stderr, /(Operation not permitted|Permission denied)/);
      renameSync(spare, asked.path);
    },
  );
});
