import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { documentedBlocks } from '../harness/documents.ts';
import { forwardedOnce } from '../harness/forwarding.ts';
import { removeState, startUp, temporaryState, until, type RunningUp } from '../harness/up.ts';

const rsyslogd = '/usr/sbin/rsyslogd';
const skip = existsSync(rsyslogd) ? false : 'rsyslog is not installed (apt-get install rsyslog)';
const state = temporaryState();
const directory = mkdtempSync(join(tmpdir(), 'holdfast-rsyslog-'));
const socket = join(directory, 'log');
let up: RunningUp;
let daemon: ChildProcess;

/** These go one way and no further, so that the line of README.md takes all that is left. */
const forward = (name: string, rest: string): string =>
  `if $programname == '${name}' then { action(type="omfwd" target="127.0.0.1" ${rest}) stop }`;

/** The configuration that README.md tells people to use, with this test's port for the usual one. */
const fromReadme = (port: number): string => {
  const lines = documentedBlocks()
    .filter(({ file }) => file === 'README.md')
    .flatMap((block) => block.lines)
    .filter((line) => line.includes('type="omfwd"'));
  assert.equal(lines.length, 1, 'README.md has one line for rsyslog');
  const [line = ''] = lines;
  assert.ok(line.includes('port="5514"'), line);
  return line.replace('port="5514"', `port="${port}"`);
};

before(async () => {
  if (skip !== false) return;
  up = await startUp(state);
  writeFileSync(
    join(directory, 'rsyslog.conf'),
    [
      'module(load="imuxsock" SysSock.Use="off")',
      `input(type="imuxsock" Socket="${socket}" CreatePath="on" UseSysTimeStamp="off")`,
      `global(workDirectory="${directory}")`,
      forward('viaudp', `port="${up.syslogUdp()}" protocol="udp"`),
      forward('viatcp', `port="${up.syslogTcp()}" protocol="tcp"`),
      fromReadme(up.syslogTcp()),
      '',
    ].join('\n'),
  );
  daemon = spawn(rsyslogd, ['-n', '-f', join(directory, 'rsyslog.conf'), '-i', join(directory, 'pid')], {
    stdio: 'inherit',
  });
  await until('rsyslog listens', () => existsSync(socket));
});

after(async () => {
  if (skip === false) {
    daemon.kill('SIGKILL');
    await up.interrupt();
  }
  removeState(state);
  rmSync(directory, { recursive: true, force: true });
});

for (const program of ['viaudp', 'viatcp', 'viareadme']) {
  test(`what rsyslog forwards (${program}) is found, each line once`, { skip }, async () => {
    const hits = await forwardedOnce(state, socket, program);
    assert.notEqual(hits[0]?.claimed, null);
  });
}
