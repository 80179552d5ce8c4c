import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditReport, Finding, Option } from '#wire/audit';
import { testIo } from '../test-io.ts';
import { renderAudit, renderSummary } from './render.ts';

const hostile = '\u001b]0;owned\u0007\u009b2J\u202e';
const steps: Option['step'][] = ['do not install', 'do not run', 'local only', 'firewalled', 'public'];

const finding = (changes: Partial<Finding> = {}): Finding => ({
  id: 'services/x',
  section: 'services',
  severity: 'high',
  title: 'a door is open',
  evidence: ['tcp [::]:1'],
  options: steps.map((step) => ({ step, action: `way of ${step}` })),
  ...changes,
});

const seen = {
  services: { listeners: [{}], couldNotLook: [] },
  patches: { upgrades: { result: 'clean' } },
  logging: { processesSeen: 'all', files: [] },
  isolation: { servicesSeen: 'all' },
};

const report = (changes: Partial<AuditReport> = {}): AuditReport => ({
  host: 'gull',
  time: '2026-05-12T03:00:00.000000Z',
  sections: seen,
  findings: [],
  couldNotLook: [],
  ...changes,
});

const facts = { services: [], patches: [], logging: [], isolation: [] };
const gap = { what: 'sockets', why: 'no procfs', remedy: 'mount one' };

test('a section of which nothing was seen is headed so, and never as clean', () => {
  const clean = renderAudit(testIo(), report(), facts);
  assert.equal(clean.match(/<green>nothing found in what was seen<\/green>/g)?.length, 4);
  const blind: Record<string, unknown> = {
    services: { listeners: [], couldNotLook: [gap] },
    patches: { upgrades: { result: 'could-not-look' } },
    logging: { processesSeen: 'none', files: [] },
    isolation: { servicesSeen: 'none' },
  };
  for (const [section, unseen] of Object.entries(blind)) {
    for (const value of [null, unseen]) {
      const partly = report({ sections: { ...seen, [section]: value }, couldNotLook: [gap] });
      const whole = renderAudit(testIo(), partly, facts);
      assert.match(
        whole,
        new RegExp(`<bold>${section.toUpperCase()}</bold>  <magenta>COULD NOT LOOK</magenta>`),
      );
      assert.equal(whole.match(/nothing found in what was seen/g)?.length, 3);
      const summary = renderSummary(testIo(), partly, 'holdfast audit');
      assert.match(summary, new RegExp(`  ${section} +<magenta>COULD NOT LOOK</magenta>`));
      assert.equal(summary.match(/nothing found in what was seen/g)?.length, 3);
    }
  }
});

test('the audit shows four steps of a ladder, the first one marked; the summary shows one', () => {
  const one = report({ findings: [finding()] });
  const whole = renderAudit(testIo(), one, facts);
  assert.match(whole, /^ {11}<green>→<\/green> do not install: way of do not install$/m);
  for (const step of ['do not run', 'local only', 'firewalled'])
    assert.match(whole, new RegExp(`^ {13}<dim>or</dim> ${step}: way of ${step}$`, 'm'));
  assert.doesNotMatch(whole, /way of public/);
  const summary = renderSummary(testIo(), one, 'holdfast audit');
  assert.match(summary, /→.*way of do not install/);
  assert.doesNotMatch(summary, /way of do not run/);
});

test('the summary has the five worst and names the command that shows all', () => {
  const findings = Array.from({ length: 7 }, (_, i) =>
    finding({ id: `services/${i}`, title: `number ${i}.` }),
  );
  const summary = renderSummary(
    testIo(),
    report({ findings, couldNotLook: [gap, gap] }),
    'bin/holdfast audit --state /tmp/x',
  );
  assert.match(
    summary,
    /could not look at 2 things<\/magenta>; 'bin\/holdfast audit --state \/tmp\/x' names them/,
  );
  assert.equal(summary.match(/number \d\./g)?.length, 5);
});

test('no text of the host reaches the terminal as it is', () => {
  const full = report({
    host: hostile,
    findings: [
      finding({ title: hostile, evidence: [hostile], options: [{ step: 'patch', action: hostile }] }),
    ],
    couldNotLook: [{ what: hostile, why: hostile, remedy: hostile }],
  });
  const all = Object.fromEntries(Object.keys(facts).map((name) => [name, [hostile]]));
  for (const text of [
    renderAudit(testIo(), full, { ...facts, ...all }),
    renderSummary(testIo(), full, 'holdfast audit'),
  ]) {
    assert.match(text, /\\x1b\]0;owned/);
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
});
