import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AuditReport } from '#wire/audit';
import { startTestConsole } from '../../test-console.ts';

const report: AuditReport = {
  host: 'gull',
  time: '2026-05-12T03:00:00.000000Z',
  sections: { services: { listeners: [] }, patches: null, logging: null, isolation: null },
  findings: [
    {
      id: 'services/public-listener/tcp-[::]:3306',
      section: 'services',
      severity: 'high',
      title: 'open to the world',
      evidence: ['pid 912 calls itself \u001b[2Jnothing\u202e'],
      options: [{ step: 'local only', action: 'bind-address = 127.0.0.1' }],
    },
  ],
  couldNotLook: [{ what: 'nftables rules', why: 'EPERM', remedy: 'run as root' }],
};

test('"not yet", "found" and "could not look" are three answers', async (t) => {
  const { ask, state } = await startTestConsole(t);
  const file = join(state, 'run', 'audit.json');
  const audit = async () => JSON.parse((await ask('/api/audit')).body);
  assert.deepEqual(await audit(), { result: 'not-yet' });

  await writeFile(file, JSON.stringify(report));
  const found = await audit();
  assert.equal(found.result, 'found');
  assert.deepEqual(found.couldNotLook, report.couldNotLook);
  assert.equal(found.findings[0].evidence[0], 'pid 912 calls itself \\x1b[2Jnothing\\u202e');
  assert.equal(found.sections, undefined);
  assert.deepEqual(found.unseenSections, ['patches', 'logging', 'isolation']);

  for (const damaged of ['{', '{"host":"gull"}']) {
    await writeFile(file, damaged);
    const answer = await audit();
    assert.equal(answer.result, 'could-not-look', damaged);
    assert.match(answer.remedy, /holdfast audit/);
  }
  await rm(file);
  assert.deepEqual(await audit(), { result: 'not-yet' });
});
