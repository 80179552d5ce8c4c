import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { messageOf } from '#base/errors';
import { syslogNg, type SyslogNg } from '../../bench/syslog-ng/package.ts';
import { forwardedOnce } from '../harness/forwarding.ts';
import { removeState, root, startUp, temporaryState, until, type RunningUp } from '../harness/up.ts';

const state = temporaryState();
const directory = mkdtempSync(join(tmpdir(), 'holdfast-syslog-ng-'));
const socket = join(directory, 'log');
let up: RunningUp | null = null;
let daemon: ChildProcess | null = null;
let missing: string | null = null;

before(async () => {
  let program: SyslogNg;
  try {
    mkdirSync(join(root, '.cache'), { recursive: true });
    program = syslogNg(join(root, '.cache'));
  } catch (error) {
    missing = messageOf(error);
    return;
  }
  up = await startUp(state);
  const destination = (name: string, driver: string): string =>
    `destination d_${name} { ${driver}; };\nfilter f_${name} { program("${name}"); };\nlog { source(local); filter(f_${name}); destination(d_${name}); };`;
  writeFileSync(
    join(directory, 'syslog-ng.conf'),
    [
      '@version: 3.38',
      'options { flush-lines(1); stats-freq(0); };',
      `source local { unix-dgram("${socket}"); };`,
      destination('ngudp', `network("127.0.0.1" port(${up.syslogUdp()}) transport("udp"))`),
      destination('ngtcp', `network("127.0.0.1" port(${up.syslogTcp()}) transport("tcp"))`),
      destination(
        'ngsyslog',
        `syslog("127.0.0.1" port(${up.syslogTcp()}) transport("tcp") persist-name("ngsyslog"))`,
      ),
      '',
    ].join('\n'),
  );
  const files = ['--persist-file', '--pidfile', '--control'].map(
    (flag) => `${flag}=${join(directory, flag.slice(2))}`,
  );
  daemon = spawn(
    program.program,
    [...program.args, '-F', '--no-caps', '-f', join(directory, 'syslog-ng.conf'), ...files],
    { env: program.env, stdio: 'inherit' },
  );
  await until('syslog-ng listens', () => existsSync(socket));
});

after(async () => {
  daemon?.kill('SIGKILL');
  await up?.interrupt();
  removeState(state);
  rmSync(directory, { recursive: true, force: true });
});

for (const program of ['ngudp', 'ngtcp', 'ngsyslog']) {
  test(`what syslog-ng sends (${program}) is found, each line once`, async (context) => {
    if (missing !== null) return context.skip(missing);
    await forwardedOnce(state, socket, program);
    return undefined;
  });
}
