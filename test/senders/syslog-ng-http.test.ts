import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { messageOf } from '#base/errors';
import { syslogNg, type SyslogNg } from '../../bench/syslog-ng/package.ts';
import { start, until, type Started } from '../../src/receive/testing/receiver.ts';
import { linesOf } from '../../src/receive/testing/stored.ts';
import { root } from '../harness/up.ts';

const count = 30;
const texts = Array.from({ length: count }, (_, n) => `number ${n}.`);

/** A driver of syslog-ng's own or, for Loki, its HTTP client with a body in Loki's format: 3.38 has no driver for it. */
const drivers = (receiver: Started): Record<string, string> => {
  const url = `http://127.0.0.1:${receiver.port('http')}`;
  return {
    ngbulk: `elasticsearch-http(url("${url}/_bulk") index("logs") type("") workers(1) batch-lines(10) batch-timeout(200))`,
    ngloki: `http(url("${url}/loki/api/v1/push") method("POST") headers("Content-Type: application/json") workers(1)
      body('{"streams":[{"stream":{"app":"\${PROGRAM}"},"values":[["\${R_UNIXTIME}000000000","\${MSG}"]]}]}'))`,
    nglines: `http(url("${url}/ingest") method("POST") headers("Content-Type: application/x-ndjson") workers(1)
      batch-lines(10) batch-timeout(200) body("$(format-json --scope none message=\${MSG})") delimiter("\\n"))`,
    ngtcp: `graylog2(host("127.0.0.1") port(${receiver.port('gelfTcp')}) transport(tcp))`,
    ngudp: `graylog2(host("127.0.0.1") port(${receiver.port('gelfUdp')}) transport(udp))`,
  };
};

const program = (): SyslogNg | string => {
  try {
    mkdirSync(join(root, '.cache'), { recursive: true });
    return syslogNg(join(root, '.cache'), ['syslog-ng-mod-http', 'syslog-ng-scl']);
  } catch (error) {
    return messageOf(error);
  }
};

const startDaemon = async (t: TestContext, daemon: SyslogNg, receiver: Started): Promise<string> => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-syslog-ng-http-'));
  const socket = join(directory, 'log');
  const library = (file: string): string => join(daemon.root, 'usr/share/syslog-ng/include/scl', file);
  writeFileSync(
    join(directory, 'syslog-ng.conf'),
    [
      '@version: 3.38',
      `@include "${library('graylog2/plugin.conf')}"`,
      `@include "${library('elasticsearch/elastic-http.conf')}"`,
      'options { flush-lines(1); stats-freq(0); };',
      `source local { unix-dgram("${socket}"); };`,
      ...Object.entries(drivers(receiver)).map(
        ([name, driver]) =>
          `destination d_${name} { ${driver}; };\nfilter f_${name} { program("${name}"); };\n` +
          `log { source(local); filter(f_${name}); destination(d_${name}); };`,
      ),
      '',
    ].join('\n'),
  );
  const files = ['--persist-file', '--pidfile', '--control'].map(
    (flag) => `${flag}=${join(directory, flag.slice(2))}`,
  );
  const child: ChildProcess = spawn(
    daemon.program,
    [...daemon.args, '-F', '--no-caps', '-f', join(directory, 'syslog-ng.conf'), ...files],
    { env: daemon.env, stdio: 'inherit' },
  );
  t.after(async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    rmSync(directory, { recursive: true, force: true });
  });
  await until(() => existsSync(socket) || child.exitCode !== null);
  assert.equal(child.exitCode, null, readFileSync(join(directory, 'syslog-ng.conf'), 'utf8'));
  return socket;
};

test('syslog-ng sends in bulk, to Loki, lines and GELF', async (t) => {
  const daemon = program();
  if (typeof daemon === 'string') return t.skip(daemon);
  const receiver = await start(t, ['http', 'gelf-tcp', 'gelf-udp']);
  const socket = await startDaemon(t, daemon, receiver);
  for (const name of Object.keys(drivers(receiver)))
    for (const text of texts)
      assert.equal(spawnSync('logger', ['--socket', socket, '--tag', name, text]).status, 0);

  const stored = (listener: string, format: string) =>
    receiver
      .stored()
      .filter((delivery) => delivery.listener.startsWith(`${listener}=`))
      .filter(({ meta }) => JSON.parse(meta).format === format)
      .flatMap(linesOf);
  const objects = (lines: string[]) => lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  const expect = async (found: () => string[]): Promise<void> => {
    await until(() => found().length >= count);
    assert.deepEqual(found(), texts);
  };

  await expect(() =>
    objects(stored('http', 'bulk').flatMap(({ raw }) => raw.toString().split('\n')))
      .filter((line) => 'MESSAGE' in line)
      .map((line) => line.MESSAGE),
  );
  await expect(() =>
    stored('http', 'loki').map(({ raw }) => JSON.parse(raw.toString()).streams[0].values[0][1]),
  );
  await expect(() =>
    objects(stored('http', 'jsonl').map(({ raw }) => raw.toString())).map(({ message }) => message),
  );
  for (const listener of ['gelf-tcp', 'gelf-udp'])
    await expect(() =>
      objects(stored(listener, 'gelf').map(({ raw }) => raw.toString().replaceAll('\0', ''))).map(
        ({ short_message: text }) => text,
      ),
    );
});
