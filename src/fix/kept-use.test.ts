import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UseBook } from '#inspect';
import { steadyClients } from './dependents.ts';
import { withKept } from './kept-use.ts';

const program = {
  exe: '/usr/bin/php8.2',
  script: null,
  user: 'www-data',
  unit: 'report.service',
  container: null,
};
const noted = (port: number, to: string): UseBook['uses'][number] => ({
  door: { protocol: 'tcp', address: '::', port, netns: 1 },
  client: { from: 'this host', address: to, to, program, dialsOut: true },
  first: '2026-11-26T00:00:00Z',
  last: '2026-11-27T00:00:00Z',
  seen: 3,
});
const book: UseBook = {
  since: '2026-11-26T00:00:00Z',
  watchedMs: 86_400_000,
  everyMs: 5000,
  uses: [noted(3306, '10.0.0.2'), noted(22, '10.0.0.2')],
};
const now = { clients: [], milliseconds: 3000, looks: 15, overUdp: null };

test('a program that was noted before counts, but nobody waits for it', () => {
  const use = withKept(now, book, new Set([3306]));
  assert.deepEqual(
    use.clients.map(({ program: name, unit, to, local }) => [name, unit, to, local]),
    [['php8.2', 'report.service', '10.0.0.2', true]],
  );
  assert.deepEqual(steadyClients(use), []);
});

test('where nobody has watched, it is as it is seen now', () => {
  assert.deepEqual(withKept(now, null, new Set([3306])), now);
});

test('a unit that is seen now counts with what it dials now', () => {
  const client = {
    from: '127.0.0.1',
    to: '127.0.0.1',
    local: true,
    pid: 7,
    program: 'php',
    unit: 'report.service',
    seen: 15,
  };
  assert.deepEqual(withKept({ ...now, clients: [client] }, book, new Set([3306])).clients, [client]);
});
