import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '#wire/audit';
import { rankFindings } from './rank.ts';

const finding = (id: string, severity: Finding['severity']): Finding => {
  const section = id.split('/')[0];
  if (section !== 'services' && section !== 'patches' && section !== 'logging' && section !== 'isolation')
    throw new Error(id);
  return { id, section, severity, title: id, evidence: [], options: [] };
};

test('severity first, then reach, then id; the input is left as it is', () => {
  const given = [
    finding('isolation/x/b', 'high'),
    finding('logging/x/a', 'info'),
    finding('services/network-listener/tcp-10.0.0.1:1', 'high'),
    finding('patches/x/a', 'high'),
    finding('services/public-listener/tcp-[::]:2', 'low'),
    finding('services/public-listener/tcp-[::]:1', 'high'),
    finding('isolation/x/a', 'high'),
    finding('logging/x/b', 'critical'),
  ];
  const before = [...given];
  assert.deepEqual(
    rankFindings(given).map(({ id }) => id),
    [
      'logging/x/b',
      'services/public-listener/tcp-[::]:1',
      'services/network-listener/tcp-10.0.0.1:1',
      'patches/x/a',
      'isolation/x/a',
      'isolation/x/b',
      'services/public-listener/tcp-[::]:2',
      'logging/x/a',
    ],
  );
  assert.deepEqual(given, before);
});
