import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { collectLogging } from './index.ts';
import type { LoggingReport } from './report.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-logging-'));
const children: ChildProcess[] = [];
after(async () => {
  for (const child of children) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  rmSync(directory, { recursive: true });
});

const start = async (file: string, args: string[]): Promise<number> => {
  const child = spawn(file, args, { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child.pid ?? 0;
};
const look = (holdfast: LoggingReport['holdfast'] = null): Promise<LoggingReport> =>
  collectLogging({ clock: systemClock(), holdfast });

/** Looks until it is there: a process needs a moment to open its files. */
const until = async <T>(find: (report: LoggingReport) => T | undefined): Promise<T> => {
  for (let i = 0; i < 600; i += 1) {
    const found = find(await look());
    if (found !== undefined) return found;
    await wait(100);
  }
  return assert.fail('not found within a minute');
};

test('a log that a process appends to outside /var/log is found with its writer, and so is one that was deleted', async () => {
  const path = join(directory, 'app.log');
  writeFileSync(path, 'first line\n');
  const pid = await start('/bin/sh', ['-c', `exec sleep 60 >>'${path}'`]);
  // It is the shell that opens it, which then becomes the program.
  const found = await until(({ files }) =>
    files.find((file) => file.path === path && file.writers?.some(({ name }) => name === 'sleep')),
  );
  assert.deepEqual(found.writers, [{ pid, name: 'sleep', append: true }]);
  assert.equal(found.content, 'text');
  assert.equal(found.shippedBy, null);
  assert.equal(found.deleted, false);

  const shipped = await look({
    journal: false,
    kernel: false,
    files: [directory],
    destination: 'logs.example.org',
    ownDirectories: [],
  });
  assert.equal(shipped.files.find((file) => file.path === path)?.shippedBy, 'holdfast');
  assert.equal(shipped.leavesHost, true);
  chmodSync(path, 0o640);
  const closed = await look({
    journal: false,
    kernel: false,
    files: [directory],
    destination: 'logs.example.org',
    ownDirectories: [],
    reader: { uid: 61705, groups: [61720] },
  });
  assert.equal(
    closed.files.find((file) => file.path === path)?.shippedBy,
    null,
    'a log that the agent may not read is shipped by nobody',
  );
  const own = await look({
    journal: false,
    kernel: false,
    files: [],
    destination: null,
    ownDirectories: [directory],
  });
  assert.equal(
    own.files.find((file) => file.path === path),
    undefined,
    'what Holdfast writes itself is not a forgotten log',
  );
  assert.equal(own.leavesHost, false);
  const shipping = { journal: false, kernel: false, files: [], destination: null, ownDirectories: [] };
  const pathsWith = async (pids: readonly number[]): Promise<string[]> =>
    (await look({ ...shipping, pids })).files.map((file) => file.path);
  assert.equal((await pathsWith([pid])).includes(path), false, "nor is its processes' own output");
  assert.ok((await pathsWith([1 << 30])).includes(path));

  rmSync(path);
  const gone = (await look()).files.find((file) => file.path === path);
  assert.equal(gone?.deleted, true);
});

test('a file that is open for reading only, and a database journal, are not logs', async () => {
  const read = join(directory, 'read.log');
  const aof = join(directory, 'appendonly.aof');
  writeFileSync(read, 'x\n');
  const trace = join(directory, '_logs', '2026-11-21T02_56_14_162Z-debug-0.log');
  mkdirSync(join(directory, '_logs'));
  await start('/bin/sh', ['-c', `exec sleep 60 <'${read}' >>'${aof}' 2>>'${trace}'`]);
  await wait(300);
  const paths = (await look()).files.map((file) => file.path);
  assert.equal(paths.includes(read), false);
  assert.equal(paths.includes(aof), false);
  assert.equal(paths.includes(trace), false);
});

test('a running rsyslog is found with its destinations; loopback does not leave the host', async (t) => {
  const rsyslogd = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd'].find((path) => existsSync(path));
  if (rsyslogd === undefined) return t.skip('rsyslog is not installed');
  const config = join(directory, 'rsyslog.conf');
  const written = join(directory, 'all.log');
  mkdirSync(join(directory, 'work'));
  writeFileSync(
    config,
    `global(workDirectory="${directory}/work")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${directory}/log.sock")
*.* ${written}
*.* action(type="omfwd" target="127.0.0.1" port="9" protocol="udp")
`,
  );
  const pid = await start(rsyslogd, ['-n', '-f', config, '-i', join(directory, 'rsyslogd.pid')]);
  const shipper = await until(({ shippers }) => shippers.find((each) => each.pid === pid));
  assert.equal(shipper.name, 'rsyslog');
  assert.deepEqual(
    shipper.destinations.map(({ target, leavesHost }) => [target, leavesHost]),
    [['127.0.0.1:9', false]],
  );
  assert.deepEqual(shipper.writes, [written]);
});

test('this host within a second, with an answer about its clock', async () => {
  let report = await look();
  // Others may have the machine for a moment.
  for (let more = 0; report.milliseconds >= 1_000 && more < 2; more += 1) report = await look();
  assert.ok(report.milliseconds < 1_000, `${report.milliseconds} ms`);
  assert.ok(
    report.clock.synchronised !== null || report.couldNotLook.some(({ what }) => what.includes('clock')),
  );
});

test('permissions, journal settings and unused journal directories, in a tree of their own', async () => {
  const root = join(directory, 'root');
  const put = (path: string, text: string, mode: number): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  };
  put('var/log/auth.log', 'Accepted password\n', 0o644);
  put('var/log/open.log', 'x\n', 0o666);
  put('var/log/fine.log', 'x\n', 0o640);
  put('var/log/old.log.2.gz', 'x', 0o640);
  put('etc/systemd/journald.conf', '[Journal]\n#Storage=auto\nSystemMaxUse=1G\n', 0o644);
  put('etc/systemd/journald.conf.d/50.conf', '[Journal]\nStorage=volatile\nRateLimitBurst=5\n', 0o644);
  mkdirSync(join(root, 'var/log/journal'), { recursive: true });
  mkdirSync(join(root, 'var/log/drop'));
  chmodSync(join(root, 'var/log/drop'), 0o777);
  symlinkSync('/etc/passwd', join(root, 'var/log/link.log'));
  const report = await collectLogging({ clock: systemClock(), paths: { proc: '/proc', sys: '/sys', root } });
  assert.deepEqual(
    report.permissions.map(({ path, problem }) => [path.slice(root.length), problem]).toSorted(),
    [
      ['/var/log/auth.log', 'anybody may read it'],
      ['/var/log/drop', 'anybody may put files into it'],
      ['/var/log/open.log', 'anybody may write it'],
    ],
  );
  const names = report.files.map(({ path }) => path).filter((path) => path.startsWith(root));
  assert.deepEqual(
    names.map((path) => path.slice(root.length)),
    ['/var/log/auth.log', '/var/log/fine.log', '/var/log/open.log'],
  );
  assert.equal(report.journal.storage, 'volatile');
  assert.equal(report.journal.systemMaxUse, '1G');
  assert.equal(report.journal.rateLimit.burst, '5');
  assert.notEqual(report.journal.kept, 'persistent', 'a directory that nobody writes to keeps nothing');
});

test('an unprivileged look says what it could not see', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root to become nobody');
  const here = JSON.stringify(new URL('./index.ts', import.meta.url).href);
  const clock = JSON.stringify(new URL('../../base/clock.ts', import.meta.url).href);
  const code = `const [{ collectLogging }, { systemClock }] = await Promise.all([import(${here}), import(${clock})]);
    console.log(JSON.stringify((await collectLogging({ clock: systemClock() })).couldNotLook))`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    uid: 65534,
    gid: 65534,
    cwd: '/',
    encoding: 'utf8',
  });
  if (/EACCES|ERR_MODULE_NOT_FOUND/.test(`${child.error?.message ?? ''}${child.stderr}`))
    return t.skip('nobody may not read this checkout');
  assert.match(child.stdout, /files that \d+ processes write.*"remedy":"run as root"/);
});
