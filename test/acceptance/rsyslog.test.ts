import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { removeState, search, startUp, temporaryState, until, type RunningUp } from '../harness/up.ts';

const rsyslogd = '/usr/sbin/rsyslogd';
const skip = existsSync(rsyslogd) ? false : 'rsyslog is not installed (apt-get install rsyslog)';
const state = temporaryState();
const directory = mkdtempSync(join(tmpdir(), 'holdfast-rsyslog-'));
const socket = join(directory, 'log');
let up: RunningUp;
let daemon: ChildProcess;

const forward = (name: string, rest: string): string =>
  `if $programname == '${name}' then action(type="omfwd" target="127.0.0.1" ${rest})`;

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
      forward(
        'viaoctets',
        `port="${up.syslogTcp()}" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"`,
      ),
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

for (const program of ['viaudp', 'viatcp', 'viaoctets']) {
  test(`what rsyslog forwards (${program}) is found, each line once`, { skip }, async () => {
    for (let i = 0; i < 20; i += 1) {
      const { status } = spawnSync('logger', [
        '--socket',
        socket,
        '--tag',
        program,
        '--id=4711',
        `${program}token number ${i}`,
      ]);
      assert.equal(status, 0);
    }
    await until('all lines are found', () => search(state, `${program}token`).hits.length >= 20);
    const { hits } = search(state, `${program}token`);
    assert.equal(hits.length, 20);
    assert.deepEqual(new Set(hits.map(({ app }) => app)), new Set([program]));
    assert.equal(new Set(hits.map(({ message }) => message)).size, 20);
    assert.notEqual(hits[0]?.claimed, null);
  });
}
