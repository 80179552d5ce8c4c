import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Destination, LogFile, LoggingReport } from '#inspect';
import { finding } from '#wire/audit';
import { findLogging } from './logging.ts';

const destination = (parts: Partial<Destination> = {}): Destination => ({
  protocol: 'tcp',
  target: 'logs.example.org:6514',
  tls: true,
  selector: '*.*',
  leavesHost: true,
  file: '/etc/rsyslog.d/90.conf',
  ...parts,
});
const shipper = (pid: number | null, destinations: Destination[]): LoggingReport['shippers'][number] => ({
  name: 'rsyslog',
  pid,
  destinations,
  reads: [],
  writes: [],
  files: [],
});
const file = (path: string, parts: Partial<LogFile> = {}): LogFile => ({
  path,
  bytes: 10,
  modified: '2026-11-21T00:00:00.000000Z',
  content: 'text',
  writers: [],
  deleted: false,
  shippedBy: null,
  rotated: true,
  ...parts,
});

/** A host with nothing to complain about. */
const good: LoggingReport = {
  time: '2026-11-21T00:00:00.000000Z',
  journal: {
    running: true,
    storage: 'auto',
    kept: 'persistent',
    newest: null,
    systemMaxUse: null,
    rateLimit: { interval: '30s', burst: '10000' },
    forwardToSyslog: true,
  },
  syslogSocket: { path: '/dev/log', listening: true, heldBy: 'systemd-journald' },
  shippers: [shipper(7, [destination()])],
  holdfast: null,
  processesSeen: 'all',
  init: 'systemd',
  leavesHost: true,
  files: [file('/var/log/syslog', { shippedBy: 'rsyslog' }), file('/var/log/wtmp', { content: 'binary' })],
  permissions: [],
  rotation: { configured: true, patterns: [], lastRun: null },
  clock: { synchronised: true, according: 'the kernel', daemon: 'chronyd', daemonKnown: true, evidence: [] },
  audit: { installed: true, running: true, enabled: true, lost: 0 },
  losses: [],
  milliseconds: 1,
  couldNotLook: [],
};
const judged = (parts: Partial<LoggingReport>): string[] =>
  findLogging({ ...good, ...parts }).map((each) => {
    finding.parse(each);
    return `${each.severity} ${each.id}`;
  });

test('nothing to say of a host whose logs are in order', () => {
  assert.deepEqual(judged({}), []);
});

test('nothing leaves: high; only Holdfast on this host: medium; unknown: no verdict', () => {
  assert.deepEqual(judged({ shippers: [], leavesHost: false }), ['high logging/stays-here/host']);
  const holdfast = {
    journal: true,
    kernel: true,
    files: ['/var/log'],
    destination: null,
    ownDirectories: [],
  };
  assert.deepEqual(judged({ shippers: [], leavesHost: false, holdfast }), ['medium logging/stays-here/host']);
  assert.deepEqual(judged({ leavesHost: null }), []);
});

test('a forwarder that is down, one that loses lines, one that is read by others', () => {
  assert.deepEqual(judged({ shippers: [shipper(null, [destination()])] }), [
    'high logging/shipper-down/rsyslog',
  ]);
  const udp = destination({ protocol: 'udp', tls: false, target: 'u:514' });
  const tcp = destination({ tls: false, target: 't:514' });
  const local = destination({ protocol: 'udp', tls: false, target: '127.0.0.1:514', leavesHost: false });
  assert.deepEqual(judged({ shippers: [shipper(7, [udp, tcp, local])] }), [
    'medium logging/plain-forwarding/rsyslog/u:514',
    'low logging/plain-forwarding/rsyslog/t:514',
  ]);
});

test('logs that nobody ships are listed, those that are open for writing and tell of logins first', () => {
  const writers = [{ pid: 9, name: 'app', append: true }];
  const files = [file('/srv/app.log', { writers }), file('/var/log/quiet.log'), file('/var/log/auth.log')];
  const [only] = findLogging({ ...good, files });
  assert.equal(only?.id, 'logging/unshipped/files');
  assert.equal(only.severity, 'medium');
  assert.match(only.evidence[0] ?? '', /auth\.log/);
  assert.ok(only.evidence.some((line) => line.includes('app (pid 9)')));
  assert.deepEqual(judged({ files: [file('/var/log/quiet.log')] }), ['low logging/unshipped/files']);
});

test('volatile journal, no syslog socket, clock, permissions, losses, deleted logs', () => {
  assert.deepEqual(judged({ journal: { ...good.journal, kept: 'volatile' } }), [
    'medium logging/not-persistent/journal',
  ]);
  assert.deepEqual(judged({ syslogSocket: { path: '/dev/log', listening: false, heldBy: null } }), [
    'high logging/no-syslog-socket/dev-log',
  ]);
  assert.deepEqual(judged({ clock: { ...good.clock, synchronised: false } }), ['medium logging/clock/host']);
  assert.deepEqual(judged({ clock: { ...good.clock, synchronised: null } }), []);
  assert.deepEqual(
    judged({ permissions: [{ path: '/var/log/x', problem: 'anybody may write it', mode: '0666' }] }),
    ['high logging/permissions/var/log/x'],
  );
  assert.deepEqual(judged({ losses: [{ address: 'udp port 514', heldBy: 'rsyslogd', dropped: 4 }] }), [
    'medium logging/lost-datagrams/rsyslogd/udp-port-514',
  ]);
  const gone = file('/srv/gone.log', { deleted: true, writers: [{ pid: 3, name: 'app', append: true }] });
  assert.deepEqual(judged({ files: [gone] }), ['medium logging/deleted-log/srv/gone.log']);
  assert.deepEqual(
    judged({ files: [file('/var/log/big.log', { shippedBy: 'x', rotated: false, bytes: 300 << 20 })] }),
    ['low logging/not-rotated/files'],
  );
});

const found = (parts: Partial<LoggingReport>): { evidence: string; actions: string } => {
  const findings = findLogging({ ...good, ...parts });
  return {
    evidence: findings.flatMap(({ evidence }) => evidence).join('\n'),
    actions: findings.flatMap(({ options }) => options.map(({ action }) => action)).join('\n'),
  };
};

test('what could not be seen is not said to be absent', () => {
  assert.deepEqual(
    judged({
      processesSeen: 'some',
      leavesHost: null,
      journal: { ...good.journal, running: null, kept: null },
      syslogSocket: { path: '/dev/log', listening: null, heldBy: null },
      shippers: [shipper(null, [destination()])],
      files: [file('/var/log/auth.log')],
      audit: { installed: true, running: null, enabled: null, lost: null },
    }),
    [],
  );
  const clock = { ...good.clock, synchronised: false, daemon: null, daemonKnown: false };
  const { evidence, actions } = found({ clock });
  assert.match(evidence, /could not be seen/);
  assert.doesNotMatch(actions, /apt-get install/);
});

test('Holdfast counts among those that ship, and is said to keep logs on this host', () => {
  const holdfast = {
    journal: true,
    kernel: true,
    files: ['/var/log'],
    destination: null,
    ownDirectories: [],
  };
  const { evidence, actions } = found({ shippers: [], leavesHost: false, holdfast });
  assert.match(evidence, /holdfast: takes in the journal, .*\/var\/log, and keeps it on this host/);
  assert.doesNotMatch(evidence, /no log shipper/);
  assert.doesNotMatch(actions, /until then/, 'it runs already');
  assert.match(found({ shippers: [], leavesHost: false }).evidence, /no log shipper is running/);
});

test('where systemd does not run, no step needs it', () => {
  const troubled: Partial<LoggingReport> = {
    shippers: [{ ...shipper(null, [destination()]) }],
    leavesHost: false,
    syslogSocket: { path: '/dev/log', listening: false, heldBy: null },
    clock: { ...good.clock, synchronised: false, daemon: null },
    audit: { installed: true, running: false, enabled: null, lost: null },
    files: [
      file('/srv/app.log'),
      file('/srv/gone.log', { deleted: true, writers: [{ pid: 3, name: 'app', append: true }] }),
    ],
  };
  assert.doesNotMatch(
    found({ ...troubled, init: 'other' }).actions,
    /systemctl|journalctl|timesyncd|timedatectl/,
  );
  assert.match(found({ ...troubled, init: 'other' }).actions, /`apt-get install chrony`, then `chronyd`/);
  assert.match(found({ ...troubled, init: 'systemd' }).actions, /systemctl start systemd-journald\.socket/);
  assert.match(found({ ...troubled, init: 'systemd' }).actions, /timedatectl set-ntp true/);
});

test('names of files are quoted where a shell would take them for more', () => {
  const problem = { problem: 'anybody may write it' as const, mode: '0666' };
  assert.match(
    found({ permissions: [{ path: "/var/log/a; rm -r 'b", ...problem }] }).actions,
    /`chmod o-w '\/var\/log\/a; rm -r '\\''b'`/,
  );
  assert.match(
    found({ permissions: [{ path: '/var/log/x', ...problem }] }).actions,
    /`chmod o-w \/var\/log\/x`/,
  );
});

test('a log that nobody ships: whoever ships already is asked first', () => {
  const files = [file('/srv/app.log')];
  const first = (parts: Partial<LoggingReport>): string =>
    findLogging({ ...good, files, ...parts })[0]?.options[0]?.action ?? '';
  assert.match(first({}), /^rsyslog reads and forwards them: .*File="\/srv\/app\.log"/);
  const promtail = { ...shipper(8, [destination()]), name: 'promtail', files: ['/etc/promtail/config.yml'] };
  assert.match(first({ shippers: [promtail] }), /what promtail reads \(\/etc\/promtail\/config\.yml\)/);
});
