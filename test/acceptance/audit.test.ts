import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditReport } from '#wire/audit';
import { holdfast, run } from '../harness/up.ts';

test('audit --json has four sections, ranked findings with evidence and a next step', () => {
  const { status, stdout, stderr } = run('audit', '--json');
  assert.equal(status, 0, stderr);
  const report = auditReport.parse(JSON.parse(stdout));
  for (const section of Object.values(report.sections)) assert.notEqual(section, null);
  const ranks = ['critical', 'high', 'medium', 'low', 'info'];
  const severities = report.findings.map(({ severity }) => ranks.indexOf(severity));
  assert.deepEqual(
    severities,
    severities.toSorted((a, b) => a - b),
  );
  for (const finding of report.findings) {
    assert.ok(finding.evidence.length > 0, `${finding.id} has evidence`);
    assert.ok(finding.options.length > 0, `${finding.id} has a next step`);
  }
  assert.equal(new Set(report.findings.map(({ id }) => id)).size, report.findings.length, 'ids are unique');
});

test('a listener on every address is a finding, and --fail-on says so', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '0.0.0.0', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  try {
    const { status, stdout } = await runAsync('audit', '--json', '--fail-on', 'info');
    assert.equal(status, 1);
    const report = auditReport.parse(JSON.parse(stdout));
    const finding = report.findings.find(({ evidence }) => evidence.includes(`tcp 0.0.0.0:${port}`));
    assert.ok(finding, `port ${port} is named`);
    assert.equal(finding.section, 'services');
  } finally {
    server.close();
  }
});

/** Not blocking, so that the server of the test stays alive. */
const runAsync = async (...args: string[]): Promise<{ status: number | null; stdout: string }> => {
  const { spawn } = await import('node:child_process');
  return new Promise((resolve) => {
    const child = spawn(holdfast, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.on('close', (status) => resolve({ status, stdout }));
  });
};

test(
  'without root it says what it could not see, and --strict exits 3',
  { skip: process.getuid?.() === 0 ? false : 'only root can become another user' },
  () => {
    const home = mkdtempSync(join(tmpdir(), 'holdfast-audit-'));
    try {
      spawnSync('chmod', ['0777', home]);
      const identity = [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        '--inh-caps=-all',
        '--bounding-set=-all',
      ];
      const { status, stdout } = spawnSync(
        'setpriv',
        [...identity, holdfast, 'audit', '--json', '--strict'],
        {
          encoding: 'utf8',
          maxBuffer: 64 * 1024 * 1024,
          env: { ...process.env, HOME: home, XDG_CACHE_HOME: home, XDG_STATE_HOME: home },
        },
      );
      assert.equal(status, 3);
      const report = auditReport.parse(JSON.parse(stdout));
      assert.ok(report.couldNotLook.some(({ remedy }) => /root/.test(remedy)));
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
);

test('usage errors exit 2', () => {
  assert.equal(run('audit', '--fail-on', 'terrible').status, 2);
  assert.equal(run('audit', '--no-such-flag').status, 2);
  assert.equal(run('no-such-command').status, 2);
});
