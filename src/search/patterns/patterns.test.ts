import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { messageTemplate } from '#index';
import { pattern, patternsFolded, type Pattern, type PatternsRequest } from '#wire/patterns';
import { answer as answerSchema, searchError } from '#wire/search';
import { testTime } from '../../index/testing/grown-vault.ts';
import { bodyOf, serveVault, type ServedVault } from '../testing/served-vault.ts';
import { formSql } from './fold.ts';
import { wasThere } from './unseen.ts';

const users = ['root', 'alice', 'bob', 'carol', 'dave', 'erin', 'frank'];

const at = (minutes: number): string => formatMicros(micros(testTime - 7_200_000_000 + minutes * 60_000_000));

describe('patterns', () => {
  let served: ServedVault;
  const lines = users.flatMap((user, n) => [
    `<38>1 ${at(n)} web1 sshd 812 - - Failed password for ${user} from 10.0.0.${n} port ${5000 + n} ssh2`,
    `<38>1 ${at(n)} web1 sshd 812 - - session opened for user ${user}`,
    `<38>1 ${at(n)} web1 cron 812 - - session opened for user ${user}`,
    `<190>1 ${at(n)} web1 nginx - - - 10.0.0.${n} - - [12/May/2026:03:00:0${n} +0000] "GET /a/${user}?x='1' HTTP/1.1" 200 ${n}12 "-" "curl/8.${n}"`,
    `<22>1 ${at(n)} mail postfix/smtp ${n} - - 3F2A9${n}: to=<${user}@example.com>, relay=mx[10.0.0.1]:25, status=sent (250 2.0.0 Ok: queued as B7${n})`,
    `<30>1 ${at(n)} web1 kernel - - - usb 1-${n}: new device, path '/dev/${user}', caf\u00e9 don't`,
  ]);

  before(async () => {
    served = await serveVault(lines.map((raw) => ({ raw })));
    await served.add([
      { raw: `<38>1 ${at(60)} web1 sshd 9 - - Failed password for mallory from 10.0.0.9 port 1 ssh2` },
      { raw: `<38>1 ${at(60)} web1 sshd 9 - - fatal: buffer 7 is (much) too small [preauth]` },
    ]);
  });
  after(() => served.remove());

  const ask = async (
    body: PatternsRequest,
  ): Promise<{
    patterns: Pattern[];
    folded: { lines: number; of: number; patterns: number };
    count: number;
  }> => {
    const response = await served.call('POST', '/patterns', body);
    const text = await bodyOf(response);
    assert.equal(response.statusCode, 200, text);
    const found = text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const { answer } = answerSchema.parse(found.at(-1));
    assert.equal(answer.integrity.verdict, 'unaltered');
    return {
      patterns: found.slice(0, -2).map((line) => pattern.parse(line)),
      folded: patternsFolded.parse(found.at(-2)).folded,
      count: answer.count,
    };
  };

  it('folds lines of one program that differ in values', async () => {
    const { patterns, folded, count } = await ask({ query: '' });
    assert.deepEqual(patterns.map(({ app, template, lines: n }) => [app, n, template]).toSorted(), [
      ['cron', 7, 'session opened for user <*>'],
      ['kernel', 7, "usb <*>: new device, path '<*>', caf\u00e9 don't"],
      ['nginx', 7, '<*> - - [<*>] "<*>" <*> "<*>" "<*>"'],
      ['postfix/smtp', 7, '<*>: to=<*>, relay=<*>, status=<*> (<*> Ok: queued as <*>)'],
      ['sshd', 1, 'fatal: buffer <*> is (much) too small [preauth]'],
      ['sshd', 7, 'session opened for user <*>'],
      ['sshd', 8, 'Failed password for <*> from <*> port <*>'],
    ]);
    assert.deepEqual(folded, { lines: 44, of: 44, patterns: 7 });
    assert.equal(count, 44);
    const [most] = patterns;
    assert.deepEqual(most, {
      template: 'Failed password for <*> from <*> port <*>',
      app: 'sshd',
      lines: 8,
      share: 0.1818,
      first: at(0),
      last: at(60),
      example: '1:1',
    });
  });

  it('folds what a query finds, and gives as many as are asked for', async () => {
    const { patterns, folded, count } = await ask({ query: 'app:sshd password', limit: 1 });
    assert.deepEqual([patterns.length, folded.patterns, count], [1, 1, 8]);
    const some = await ask({ query: 'app:sshd', limit: 1 });
    assert.deepEqual([some.patterns.length, some.folded.patterns, some.count], [1, 3, 16]);
  });

  it('shows the last of the newest lines of a pattern, and patterns of as many lines by program and text', async () => {
    await served.add([3, 1, 2].map((n) => ({ raw: `<38>1 ${at(30)} h ties - - - same ${n}` })));
    await served.add([4, 5].map((n) => ({ raw: `<38>1 ${at(30)} h ties - - - same ${n}` })));
    const { patterns } = await ask({ query: 'app:ties' });
    assert.deepEqual(
      patterns.map(({ lines: n, example }) => [n, example]),
      [[5, '3:2']],
    );
    const all = (await ask({ query: '' })).patterns.filter(({ lines: n }) => n === 7);
    assert.deepEqual(
      all.map(({ app }) => app),
      ['cron', 'kernel', 'nginx', 'postfix/smtp', 'sshd'],
    );
  });

  it('says what is new since a time: what no line before fits', async () => {
    const { patterns, folded } = await ask({ newSince: at(59) });
    assert.deepEqual(
      patterns.map(({ template, isNew }) => [template, isNew]),
      [['fatal: buffer <*> is (much) too small [preauth]', 'new']],
    );
    assert.deepEqual(folded, { lines: 2, of: 2, patterns: 1 });
    assert.equal((await ask({ newSince: at(61) })).patterns.length, 0);
    const refused = await served.call('POST', '/patterns', { newSince: 'lately' });
    const { error } = searchError.parse(JSON.parse(await bodyOf(refused)));
    assert.deepEqual([error.code, error.column], ['bad-query', null]);
    assert.match(error.suggestion ?? '', /^write 10m, 2h,.* 2026-05-12,/);
  });

  it('finds a line before that fits a template, in the same program alone', async () => {
    const all = { where: 'true', parameters: {} };
    const cases: [app: string, template: string, there: boolean][] = [
      ['sshd', 'fatal: buffer <*> is (much) too small [preauth]', true],
      ['cron', 'fatal: buffer <*> is (much) too small [preauth]', false],
      ['sshd', 'fatal: buffer <*> is (much) too small', false],
      ['sshd', 'buffer <*> is (much) too small [preauth]', false],
      ['nginx', '<*> - - [<*>] "<*>" <*> "<*>" "<*>"', true],
      ['kernel', "usb <*>: new device, path '<*>', caf\u00e9 don't", true],
    ];
    for (const [app, template, there] of cases)
      assert.equal(await wasThere(served.index, { app, template }, all), there, template);
  });

  it('tells forms apart in the engine at least as finely as templates', async () => {
    await served.add(
      [
        'a=1 b',
        'a=2 c',
        'x "q" y',
        'x "q y',
        "it's 'a' b",
        "it's 'b' b",
        '/a /b',
        '/a',
        'v1: x',
        'v1 x',
        'u@h',
        'w@h',
        '',
      ].map((text) => ({ raw: `<38>1 ${at(61)} h forms - - - ${text}` })),
    );
    const rows = await served.index.engine.rows(
      'background',
      `SELECT groupUniqArray(message) AS messages FROM lines GROUP BY ${formSql}`,
    );
    assert.ok(rows.length > 15 && rows.length < lines.length);
    for (const { messages } of rows) {
      assert.ok(Array.isArray(messages));
      assert.equal(
        new Set(messages.map((text) => messageTemplate(String(text)))).size,
        1,
        messages.join('\n'),
      );
    }
  });
});
