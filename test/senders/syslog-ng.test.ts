import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { messageOf } from '#base/errors';
import { syslogNg, type SyslogNg } from '../../bench/syslog-ng/package.ts';
import { testAuthority } from '../../src/receive/testing/authority.ts';
import { prepareState, spawnReceiver, start, until } from '../../src/receive/testing/receiver.ts';
import { linesOf, readStored } from '../../src/receive/testing/stored.ts';
import { freePort } from '../harness/free-port.ts';
import { root } from '../harness/up.ts';
import { log, numbersOf, startDaemon, upTo, workspace, type Daemon } from './daemon.ts';
import { run } from './running.ts';

const patience = 60_000;
const count = 500;

const installed = ((): SyslogNg | string => {
  try {
    mkdirSync(join(root, '.cache'), { recursive: true });
    return syslogNg(join(root, '.cache'));
  } catch (error) {
    return messageOf(error);
  }
})();
const skip = typeof installed === 'string' ? installed : false;

/** Each destination takes what is logged under its name. `DIRECTORY` in it is the daemon's own. */
const startSyslogNg = async (
  t: TestContext,
  destinations: Readonly<Record<string, string>>,
): Promise<{ socket: string; daemon: Daemon }> => {
  assert.ok(typeof installed !== 'string');
  const directory = workspace(t);
  const socket = join(directory, 'log');
  const config = join(directory, 'syslog-ng.conf');
  writeFileSync(
    config,
    [
      '@version: 3.38',
      'options { flush-lines(10); stats-freq(0); time-reopen(1); };',
      `source local { unix-dgram("${socket}"); };`,
      ...Object.entries(destinations).map(
        ([name, driver]) =>
          `destination d_${name} { ${driver.replace('DIRECTORY', directory)}; };\nfilter f_${name} { program("${name}"); };\n` +
          `log { source(local); filter(f_${name}); destination(d_${name}); flags(flow-control); };`,
      ),
      '',
    ].join('\n'),
  );
  const files = ['persist-file', 'pidfile', 'control'].map((flag) => `--${flag}=${join(directory, flag)}`);
  const daemon = startDaemon(
    t,
    installed.program,
    [...installed.args, '-F', '--stderr', '--no-caps', '-f', config, ...files],
    installed.env,
  );
  await until(() => existsSync(socket), patience);
  assert.ok(existsSync(socket), daemon.output());
  return { socket, daemon };
};

test('syslog-ng: every line once, by network() and syslog(), over UDP, TCP and TLS', { skip }, async (t) => {
  const authority = testAuthority(t);
  const { key, certificate } = authority.issue('web2.example');
  const receiver = await start(
    t,
    ['syslog-udp', 'syslog-tcp', 'syslog-tls'],
    {},
    '127.0.0.1',
    () => undefined,
    { tls: authority.files },
  );
  const certified =
    `transport("tls") tls(ca-file("${authority.files.authority}") key-file("${key}") ` +
    `cert-file("${certificate}") peer-verify(yes))`;
  const way = (driver: string, port: string, rest: string, name: string): string =>
    `${driver}("127.0.0.1" port(${receiver.port(port)}) ${rest} persist-name("${name}"))`;
  const destinations = {
    networkudp: way('network', 'syslogUdp', 'transport("udp")', 'a'),
    networktcp: way('network', 'syslogTcp', 'transport("tcp")', 'b'),
    networktls: way('network', 'syslogTls', certified, 'c'),
    syslogudp: way('syslog', 'syslogUdp', 'transport("udp")', 'd'),
    syslogtcp: way('syslog', 'syslogTcp', 'transport("tcp")', 'e'),
    syslogtls: way('syslog', 'syslogTls', certified, 'f'),
  };
  const { socket, daemon } = await startSyslogNg(t, destinations);
  const found = (program: string): ReturnType<typeof numbersOf> => numbersOf(receiver.stored(), program);
  for (const program of Object.keys(destinations)) {
    await log(t, socket, program, count);
    await until(() => found(program).length >= count, patience);
    assert.deepEqual(
      found(program).map(({ n }) => n),
      upTo(count),
      `${program}: ${daemon.output()}`,
    );
    const names = new Set(found(program).map(({ tlsName }) => tlsName));
    assert.deepEqual(names, new Set([program.endsWith('tls') ? 'web2.example' : '']), program);
  }
  await daemon.stop();
  assert.deepEqual(
    receiver.lines('receiver').filter((line) => /"kind":"(loss|torn|refusal)"/.test(line)),
    [],
  );
});

test(
  'syslog-ng keeps on disk what a receiver that is away cannot take, and brings it all',
  { skip },
  async (t) => {
    const authority = testAuthority(t);
    const { key, certificate } = authority.issue('web3.example');
    const state = prepareState(t);
    const port = await freePort();
    const first = await spawnReceiver(t, state, {
      listen: [{ kind: 'syslog-tls', host: '127.0.0.1', port }],
      tls: authority.files,
    });
    const { socket, daemon } = await startSyslogNg(t, {
      buffered:
        `syslog("127.0.0.1" port(${port}) transport("tls") tls(ca-file("${authority.files.authority}") ` +
        `key-file("${key}") cert-file("${certificate}") peer-verify(yes)) ` +
        'disk-buffer(reliable(yes) disk-buf-size(16777216) mem-buf-size(1048576) dir("DIRECTORY")))',
    });
    const found = (): number[] =>
      numbersOf(readStored(state.intake).deliveries, 'buffered').map(({ n }) => n);
    await log(t, socket, 'buffered', 100);
    await until(() => found().length >= 100, patience);
    // In order, so that what was on its way has arrived: syslog over TLS itself acknowledges nothing.
    first.child.kill('SIGTERM');
    await first.exited;
    // Over TLS it sees that only as it writes, and that one line is lost, as with every sender of plain syslog.
    await log(t, socket, 'buffered', 1, 100);
    await until(() => daemon.output().includes('connection broken'), patience);
    await log(t, socket, 'buffered', 2000, 101);
    await spawnReceiver(t, state, {
      listen: [{ kind: 'syslog-tls', host: '127.0.0.1', port }],
      tls: authority.files,
    });
    await until(() => new Set(found()).size >= 2100, patience);
    const kept = new Set([100, ...found()]);
    assert.deepEqual(
      [...kept].toSorted((a, b) => a - b),
      upTo(2101),
      daemon.output(),
    );
  },
);

test('loggen: every message once, by datagram and by stream', { skip }, async (t) => {
  assert.ok(typeof installed !== 'string');
  const receiver = await start(t, ['syslog-udp', 'syslog-tcp']);
  const program = join(installed.root, 'usr/bin/loggen');
  const env = { ...installed.env, SYSLOGNG_PREFIX: join(installed.root, 'usr') };
  const ways = {
    syslogUdp: ['syslog-udp', '--inet', '--dgram'],
    syslogTcp: ['syslog-tcp', '--inet', '--stream'],
  };
  for (const [name, [listener = '', ...args]] of Object.entries(ways)) {
    const numbered = ['--number=5000', '--rate=5000', '--interval=60', '--size=200', '127.0.0.1'];
    const { output } = await run(t, program, [...args, ...numbered, `${receiver.port(name)}`], { env });
    const found = (): number[] =>
      receiver
        .stored()
        .filter((delivery) => delivery.listener.startsWith(listener))
        .flatMap(linesOf)
        .map(({ raw }) => Number(/ seq: (\d+), /.exec(raw.toString())?.[1]));
    const sent = Number(/count\s*=\s*(\d+)/.exec(output)?.[1]);
    assert.ok(sent >= 5000, output);
    await until(() => found().length >= sent, patience);
    const numbers = found().toSorted((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: sent }, (_, n) => n + (numbers[0] ?? 0)),
      name,
    );
  }
});
