import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formOf } from './form.ts';

const form = (message: string): number => {
  const line = Buffer.from(`<13>${message}\n`);
  return formOf(line, 4, line.length - 1);
};

test('messages of one form have the same, whatever differs between them', () => {
  const [first, ...others] = [
    'Failed password for invalid user alice from 192.0.2.7 port 22 ssh2',
    'Failed password for root from 2001:db8::7 port 40022 ssh2',
    '17: Failed password',
    'Failed  password\u00e9',
  ].map(form);
  assert.deepEqual(new Set(others), new Set([first]));
  assert.equal(form('4XyZ1abc: removed'), form('7Ab9: removed'));
});

test('those of other forms mostly have another', () => {
  const forms = [
    'Accepted publickey for',
    'Connection closed by',
    'Failed password for',
    'pam_unix(sshd:session): ',
  ];
  assert.equal(new Set(forms.map(form)).size, forms.length);
});

test('it is a number from 0 to 15, of any bytes', () => {
  const seen = new Set<number>();
  for (let n = 0; n < 2000; n += 1)
    seen.add(form(`${String.fromCharCode(65 + (n % 26))}${'ab'.repeat(n % 50)} x`));
  assert.deepEqual(
    [...seen].toSorted((a, b) => a - b),
    Array.from({ length: 16 }, (_, n) => n),
  );
  assert.equal(formOf(Buffer.alloc(0), 0, 0), formOf(Buffer.from('12 34'), 0, 5));
});
