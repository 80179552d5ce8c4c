import assert from 'node:assert/strict';
import { test } from 'node:test';
import { micros } from '#base/clock';
import { formatPath, parsePath } from './path.ts';

const day = micros(Date.UTC(2026, 4, 12) * 1000);
const now = micros(day + 5_000_000);

test('every name has a path, and the path gives the name back', () => {
  const names = [
    'web1',
    '',
    '-',
    '--',
    '.',
    '..',
    'a/b',
    '/usr/sbin/cron',
    'a/',
    '%',
    '%41',
    'ä ö',
    '\u202e',
    '\n',
    "it's",
    'fe80::1',
    '$(x)',
    '*',
  ];
  for (const host of names)
    for (const app of names) {
      const path = formatPath({ day, host, app });
      assert.match(path, /^[\w.:@+,=~/%-]+$/);
      assert.deepEqual(parsePath(path, now), { day, host, app }, path);
    }
});

test('a path may end at any level, with a slash or without', () => {
  assert.deepEqual(parsePath('', now), { day: null, host: null, app: null });
  for (const path of ['2026-05-12', '2026-05-12/', 'today'])
    assert.deepEqual(parsePath(path, now), { day, host: null, app: null });
  assert.deepEqual(parsePath('yesterday/h/', now), {
    day: micros(day - 86_400_000_000),
    host: 'h',
    app: null,
  });
  assert.deepEqual(parsePath('today/h/postfix/smtpd', now), { day, host: 'h', app: 'postfix/smtpd' });
});

test('what is no path is refused where it is wrong', () => {
  for (const [path, column] of [
    ['2026-02-30', 0],
    ['/h', 0],
    ['12.5.2026', 0],
    ['today/a%zz', 7],
    ['today/h/a%ff', 8],
  ] as const)
    assert.throws(() => parsePath(path, now), { code: 'bad-query', column }, path);
});
