import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownArguments } from './arguments.ts';

test('a command line is shown without what looks like a secret', () => {
  const shown = (...line: string[]) => shownArguments(line, false).join(' ');
  assert.equal(shown('mysqld', '--port=3306', '--password=hunter2'), '--port=3306 --password=…');
  assert.equal(shown('app', '--api-key', 'abc', '-v'), '--api-key … -v');
  assert.equal(shown('mysql', '-phunter2', '-p3306'), '-p… -p3306');
  assert.equal(shown('app', 'amqp://guest:guest@db/'), 'amqp://guest:…@db/');
  assert.equal(shown('app', '0123456789abcdef0123456789abcdef'), '…');
  assert.equal(shown('nginx', '-c', '/etc/nginx/nginx.conf'), '-c /etc/nginx/nginx.conf');
});

test('a program within the line is not shown', () => {
  assert.deepEqual(shownArguments(['perl', '-e', 'print $password'], true), ['-e', '…']);
});
