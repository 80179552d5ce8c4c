import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PatchesReport, PendingUpgrade } from '#inspect';
import { finding } from '#wire/audit';
import { findPatches } from './patches.ts';

const upgrade = (name: string, parts: Partial<PendingUpgrade> = {}): PendingUpgrade => ({
  package: name,
  installed: '1.0',
  candidate: '2.0',
  security: false,
  securityVersions: [],
  archives: ['http://archive.test/debian bookworm'],
  publicBy: null,
  keptBack: null,
  ...parts,
});

/** A host with nothing to complain about. */
const good: PatchesReport = {
  time: '2026-11-21T00:00:00.000000Z',
  system: 'Debian GNU/Linux 13 (trixie)',
  packageManager: 'dpkg',
  upgrades: { result: 'clean', couldNotLook: [] },
  lists: {
    refreshed: '2026-11-20T00:00:00.000000Z',
    refreshedBy: 'stamp',
    attempted: '2026-11-20T00:00:00.000000Z',
    releases: [],
    missing: [],
  },
  sources: [
    {
      kind: 'deb',
      uri: 'http://x/debian-security',
      suite: 'trixie-security',
      components: ['main'],
      enabled: true,
      trusted: false,
      file: 'f',
    },
  ],
  distribution: {
    id: 'debian',
    version: '13',
    codename: 'trixie',
    phases: [
      { name: 'standard', until: '2028-08-09', needs: null, covered: true },
      { name: 'LTS', until: '2030-06-30', needs: null, covered: true },
    ],
    current: 'standard',
    source: 'table',
  },
  kernel: {
    verdict: 'current',
    why: '',
    running: { release: '6.12', build: '#1' },
    installed: [],
    bootDefault: null,
    couldNotLook: [],
  },
  init: 'systemd',
  reboot: { required: false, reasons: [] },
  stalePrograms: { result: 'clean', couldNotLook: [] },
  packages: { installed: 1, held: [], unfinished: [], interrupted: false },
  automatic: {
    installed: true,
    updateListsEvery: 1,
    upgradeEvery: 1,
    startedBy: 'systemd timer',
    reboots: false,
    lastRun: null,
  },
  lastUpgrade: null,
  simulation: null,
  milliseconds: 1,
  couldNotLook: [],
};

const judged = (parts: Partial<PatchesReport>): string[] =>
  findPatches({ ...good, ...parts }).map((each) => {
    finding.parse(each);
    return `${each.severity} ${each.id}`;
  });

test('nothing to say of a host that is up to date', () => {
  assert.deepEqual(judged({}), []);
});

test('pending security upgrades: how many, since when, and what to run', () => {
  const value = [
    upgrade('a', { security: true, publicBy: '2026-10-01T00:00:00.000000Z' }),
    upgrade('b', { security: true, publicBy: '2026-07-11T10:00:00.000000Z' }),
    upgrade('c'),
  ];
  const findings = findPatches({ ...good, upgrades: { result: 'found', value, couldNotLook: [] } });
  assert.deepEqual(
    findings.map(({ id, severity }) => [id, severity]),
    [
      ['patches/pending-security/apt', 'high'],
      ['patches/pending/apt', 'low'],
    ],
  );
  assert.match(
    findings[0]?.title ?? '',
    /^2 security upgrades are pending, the oldest public since 2026-07-11/,
  );
  assert.ok(findings[0]?.options.some(({ action }) => action.includes('apt-get install --only-upgrade a b')));
});

const kept = (
  name: string,
  reason: NonNullable<PendingUpgrade['keptBack']>['reason'],
  security: boolean,
): PendingUpgrade =>
  upgrade(name, { security, keptBack: { reason, detail: 'd', installs: [], removes: [] } });

test('kept back is worse when security is in it, and harmless when it is phasing', () => {
  const value = [kept('a', 'hold', true), kept('b', 'pin', false), kept('c', 'phasing', true)];
  const lines = judged({ upgrades: { result: 'found', value, couldNotLook: [] } });
  assert.ok(lines.includes('high patches/kept-back/hold'));
  assert.ok(lines.includes('low patches/kept-back/pin'));
  assert.ok(lines.includes('info patches/kept-back/phasing'));
});

test('end of life is critical, and shows where the date is from', () => {
  const distribution = {
    ...good.distribution,
    id: 'debian',
    version: '10',
    codename: 'buster',
    current: null,
    source: 'table of 2025',
    phases: [{ name: 'LTS', until: '2024-06-30', needs: null, covered: true }],
  };
  const [first] = findPatches({ ...good, distribution });
  assert.equal(first?.severity, 'critical');
  assert.ok(first.evidence.some((line) => line.includes('table of 2025')));
});

test('old lists, an interrupted dpkg, an old kernel, stale programs', () => {
  const lists = {
    ...good.lists,
    refreshed: '2026-11-01T00:00:00.000000Z',
    refreshedBy: 'x',
    attempted: null,
    releases: [],
    missing: [],
  };
  assert.deepEqual(judged({ lists }), ['medium patches/old-lists/apt']);
  assert.deepEqual(judged({ lists: { ...lists, attempted: '2026-11-20T00:00:00.000000Z' } }), [
    'low patches/old-lists/apt',
  ]);
  assert.deepEqual(
    judged({
      packages: {
        installed: 1,
        held: [],
        unfinished: [{ package: 'a', state: 'half-configured', version: '1' }],
        interrupted: false,
      },
    }),
    ['high patches/unfinished/dpkg'],
  );
  const kernel = {
    ...good.kernel,
    verdict: 'older' as const,
    next: '6.13',
    why: '6.13 is installed; 6.12 runs',
  };
  assert.deepEqual(judged({ kernel, reboot: { required: true, reasons: [kernel.why] } }), [
    'high patches/old-kernel/running',
  ]);
  assert.deepEqual(judged({ kernel: { ...good.kernel, verdict: 'foreign', why: 'w' } }), [
    'info patches/foreign-kernel/running',
  ]);
  const value = [
    {
      unit: 'ssh.service',
      executable: '/usr/sbin/sshd',
      script: null,
      pids: [7],
      users: ['root'],
      files: [
        { path: '/lib/libssl.so', was: 'deleted' as const, part: 'library' as const, package: 'libssl3' },
      ],
      contained: false,
      restart: '`systemctl restart ssh.service`',
    },
  ];
  const [stale] = findPatches({ ...good, stalePrograms: { result: 'found', value, couldNotLook: [] } });
  assert.equal(stale?.id, 'patches/stale-program/ssh.service');
  assert.equal(stale.options[0]?.action, '`systemctl restart ssh.service`');
  assert.match(stale.title, /libssl3/);
});

test('a distribution without a security source, and one whose signatures are not checked', () => {
  const plain = {
    kind: 'deb' as const,
    uri: 'http://x/debian',
    suite: 'trixie',
    components: ['main'],
    enabled: true,
    trusted: true,
    file: 'f',
  };
  assert.deepEqual(judged({ sources: [plain] }), [
    'high patches/no-security-source/apt',
    'medium patches/unsigned-source/apt',
  ]);
});

const actions = (parts: Partial<PatchesReport>): string =>
  findPatches({ ...good, ...parts })
    .flatMap(({ options }) => options.map(({ action }) => action))
    .join('\n');

test('where systemd does not run, no step needs it', () => {
  const kernel = { ...good.kernel, verdict: 'older' as const, next: '6.13', why: '6.13 is installed' };
  const automatic = {
    installed: false,
    updateListsEvery: 0,
    upgradeEvery: 0,
    startedBy: null,
    reboots: false,
    lastRun: null,
  };
  const reboot = { required: true, reasons: ['/run/reboot-required exists', kernel.why] };
  const steps = { kernel, automatic, reboot };
  assert.match(
    actions({ ...steps, init: 'systemd' }),
    /systemctl reboot[^]*systemctl enable --now apt-daily/,
  );
  assert.doesNotMatch(actions({ ...steps, init: 'other' }), /systemctl/);
  assert.match(actions({ ...steps, init: 'other' }), /apt-get install cron/);
});

test('what is already there is not advised again', () => {
  const automatic = {
    installed: true,
    updateListsEvery: 1,
    upgradeEvery: 1,
    startedBy: null,
    reboots: false,
    lastRun: null,
  };
  assert.doesNotMatch(actions({ automatic }), /install unattended-upgrades|dpkg-reconfigure/);
  assert.match(actions({ automatic }), /apt-daily-upgrade\.timer/);
});

test('a command can be run as it stands: no list is cut off inside it, and nothing advised that does nothing', () => {
  const many = Array.from({ length: 60 }, (_, i) => upgrade(`p${i}`, { security: true }));
  const all = actions({ upgrades: { result: 'found', value: many, couldNotLook: [] } });
  assert.doesNotMatch(all, /…/);
  assert.match(all, /^`apt-get update && apt-get upgrade`/);
  const held = [kept('a', 'hold', true)];
  const [first] = findPatches({ ...good, upgrades: { result: 'found', value: held, couldNotLook: [] } });
  assert.equal(first?.options[0]?.step, 'investigate');
  assert.equal(first.options.length, 1, 'apt-get upgrade would leave it as it is');
  const changes = [kept('b', 'needs changes', false)];
  assert.deepEqual(judged({ upgrades: { result: 'found', value: changes, couldNotLook: [] } }), [
    'low patches/kept-back/needs-changes',
  ]);
});
