import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { start, until } from '../../src/receive/testing/receiver.ts';

const rsyslogd = '/usr/sbin/rsyslogd';
const hasModule = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].some((name) =>
  existsSync(`/usr/lib/${name}/rsyslog/omelasticsearch.so`),
);
const skip =
  existsSync(rsyslogd) && hasModule
    ? false
    : 'omelasticsearch is not installed (apt-get install rsyslog rsyslog-elasticsearch)';

it('rsyslog (omelasticsearch) sends in bulk, and is told that each was taken', { skip }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-omelasticsearch-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const socket = join(directory, 'log');
  const errors = join(directory, 'errors');
  const receiver = await start(t, ['http']);
  writeFileSync(
    join(directory, 'rsyslog.conf'),
    [
      'module(load="imuxsock" SysSock.Use="off")',
      'module(load="omelasticsearch")',
      `input(type="imuxsock" Socket="${socket}" CreatePath="on")`,
      `global(workDirectory="${directory}")`,
      'template(name="doc" type="list" option.jsonf="on") {',
      '  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")',
      '  property(outname="message" name="msg" format="jsonf")',
      '  property(outname="app" name="programname" format="jsonf")',
      '}',
      `action(type="omelasticsearch" server="127.0.0.1" serverport="${receiver.port('http')}" template="doc"`,
      `  searchIndex="logs" searchType="" bulkmode="on" errorFile="${errors}" action.resumeRetryCount="-1")`,
      '',
    ].join('\n'),
  );
  const daemon = spawn(
    rsyslogd,
    ['-n', '-f', join(directory, 'rsyslog.conf'), '-i', join(directory, 'pid')],
    { stdio: 'inherit' },
  );
  t.after(async () => {
    if (daemon.exitCode === null && daemon.kill('SIGKILL')) await once(daemon, 'exit');
  });
  await until(() => existsSync(socket));
  const count = 50;
  for (let n = 0; n < count; n += 1)
    assert.equal(spawnSync('logger', ['--socket', socket, '--tag', 'bulk', `number ${n}.`]).status, 0);
  const documents = (): string[] =>
    receiver
      .stored()
      .filter(({ listener }) => listener.startsWith('http='))
      .flatMap(({ raw }) => raw.toString().split('\n'))
      .filter((line) => line.includes('"message"'));
  await until(() => documents().length >= count);
  assert.deepEqual(
    documents().map((line) => JSON.parse(line).message.trim()),
    Array.from({ length: count }, (_, n) => `number ${n}.`),
  );
  const meta = JSON.parse(receiver.stored()[0]?.meta ?? '');
  assert.deepEqual([meta.via, meta.format, meta.path, meta.encoding], ['http', 'bulk', '/_bulk', 'identity']);
  // It writes what it was not told to be stored into that file.
  assert.ok(!readdirSync(directory).includes('errors'));
});
