import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textsOfRegex } from './regex-texts.ts';

test('texts are those that stand in all that an expression matches', () => {
  const texts: [string, string[]][] = [
    ['amount 1[0-9]{2}\\.[59]0 EUR', ['amount 1', '.', '0 EUR']],
    ['user=(\\w+) from', ['user=', ' from']],
    ['^sshd\\[\\d+\\]: Failed$', ['sshd[', ']: Failed']],
    ['colou?r', ['colo', 'r']],
    ['ab*c', ['a', 'c']],
    ['ab+c', ['ab', 'c']],
    ['ab{0,3}c', ['a', 'c']],
    ['ab{2}c{x}', ['ab', 'c{x}']],
    ['a+?b', ['a', 'b']],
    ['größe[^]|]x', ['größe', 'x']],
    ['[[:alpha:]|]x', ['x']],
    ['(a(b|[)])c)d', ['d']],
    ['(?:ab)?c', ['c']],
    ['(?i)disk full', ['di', ' full']],
    ['(?P<user>alice)\\bx', ['x']],
    ['ab(?s)cd', ['ab', 'cd']],
    ['a{,2}b', ['a{,2}b']],
    ['a.b', ['a', 'b']],
    ['', []],
  ];
  for (const [source, wanted] of texts) assert.deepEqual(textsOfRegex(source), wanted, source);
});

test('nothing is known of alternatives, of characters that are named, and of what is hard to read', () => {
  for (const source of [
    'abc|def',
    '\\Qa|b\\Efg',
    '\\x41bc',
    '\\pLabc',
    '\\101abc',
    'ab+*c',
    '[a\\Q]b',
    '[abc',
    'abc\\',
    'foob(?i)*ar',
    'ab+(?s)?c',
  ])
    assert.deepEqual(textsOfRegex(source), [], source);
});

test('whatever an expression matches has its texts', () => {
  const pieces = [
    'ab',
    'a?',
    'b*',
    '[ab]',
    '(ab|c)',
    '(?:b)?',
    '\\.',
    '\\d',
    'x{0,2}',
    'c{2}',
    'c+',
    '.',
    'k',
    '^',
    'b$',
  ];
  const letters = 'abcxk.1 ';
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  const some = (from: readonly string[], most: number): string =>
    Array.from({ length: 1 + random(most) }, () => from[random(from.length)]).join('');
  let matches = 0;
  for (let turn = 0; turn < 20_000; turn += 1) {
    const source = some(pieces, 4);
    const text = some([...letters], 12);
    if (!new RegExp(source, 'su').test(text)) continue;
    matches += 1;
    for (const part of textsOfRegex(source))
      assert.ok(text.includes(part), `/${source}/ in '${text}': '${part}'`);
  }
  assert.ok(matches > 1000, `${matches}`);
});
