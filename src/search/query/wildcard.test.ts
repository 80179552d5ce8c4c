import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containsMatcher, nameMatcher } from './wildcard.ts';

const text = (value: string) => ({ text: value, quoted: false, column: 0 });

test('a star stands for any text, also for none', () => {
  const whole = (pattern: string, name: string) => nameMatcher(text(pattern))(name);
  assert.ok(whole('web*', 'web'));
  assert.ok(whole('*.example.*', 'a.example.net'));
  assert.ok(whole('a*a', 'AbA'));
  assert.ok(!whole('a*a', 'a'));
  assert.ok(!whole('*a*b', 'ba'));
  assert.ok(whole('*ab*ab', 'abcab'));
  assert.ok(!whole('*ab*ab', 'cab'));
});

test('however many stars there are, the answer comes at once', () => {
  const name = 'web-frontend-01.example.net'.repeat(8);
  for (const pattern of [`${'*'.repeat(60)}error`, `${'*e'.repeat(60)}x`, `10.0.0.5${'*e'.repeat(60)}x`]) {
    const began = process.cpuUsage().user;
    assert.ok(!nameMatcher(text(pattern))(name));
    assert.ok(!containsMatcher(text(pattern))(name));
    assert.ok(process.cpuUsage().user - began < 1_000_000, pattern);
  }
});
