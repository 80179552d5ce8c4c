import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caretBelow } from './caret.ts';

test('a caret stands below its place, in the line of it', () => {
  assert.equal(caretBelow('a severty:x', 2), '\n  a severty:x\n    ^');
  assert.equal(caretBelow('one\ntwo three\nfour', 8), '\n  two three\n      ^');
});

test('of a line that a terminal would wrap, what stands around the place is shown', () => {
  const words = Array.from({ length: 60 }, (_, n) => `w${n}`).join(' ');
  for (const place of [0, 100, words.indexOf('w59')]) {
    const [, shown = '', caret = ''] = caretBelow(words, place).split('\n');
    assert.ok(shown.length <= 78, shown);
    assert.equal(shown.slice(caret.indexOf('^')).replace('…', '').slice(0, 3), words.slice(place, place + 3));
  }
});
