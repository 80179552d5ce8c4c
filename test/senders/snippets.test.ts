import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { testAuthority } from '../../src/receive/testing/authority.ts';
import { start, until, type Started } from '../../src/receive/testing/receiver.ts';
import { linesOf } from '../../src/receive/testing/stored.ts';
import { onPath } from '../../tools/test/suites.ts';
import { recordSeen } from '../../tools/senders/seen.ts';
import { root } from '../harness/up.ts';
import { workspace } from './daemon.ts';
import { addEntry, journalUpload, noJournal, valueOf } from './journal.ts';
import { run } from './running.ts';
import { senderFiles, versionOf, written } from './written.ts';

const secure = async (t: TestContext, kind: 'https'): Promise<{ receiver: Started; files: string }> => {
  const authority = testAuthority(t);
  const directory = workspace(t);
  const files = senderFiles(directory, authority, authority.issue('web1.example'));
  const receiver = await start(t, [kind], {}, '127.0.0.1', () => undefined, { tls: authority.files });
  return { receiver, files };
};

const count = 100;
const events = Array.from({ length: count }, (_, n) => JSON.stringify({ n, message: `event ${n}` }));

for (const way of ['http', 'https'] as const)
  test(`curl, ${way}`, { skip: onPath('curl') ? false : 'curl is not installed' }, async (t) => {
    const directory = workspace(t);
    writeFileSync(join(directory, 'events.ndjson'), `${events.join('\n')}\n`);
    const { receiver, files } =
      way === 'https' ? await secure(t, 'https') : { receiver: await start(t, ['http']), files: '/nowhere' };
    const command = written('curl', way, { port: receiver.port(way), files });
    const { code, output } = await run(t, 'sh', ['-c', command], { cwd: directory });
    assert.equal(code, 0, output);
    const lines = receiver.lines(`${way}=`).flatMap((body) => body.trimEnd().split('\n'));
    assert.deepEqual(lines, events);
    const program = `curl ${versionOf('curl', /^curl (\S+)/)}`;
    recordSeen({ sender: 'curl', way, program, result: `${count} of ${count} lines, each once` });
  });

const rootOnly = process.getuid?.() === 0 ? false : 'a file below /etc takes a mount namespace, and so root';

for (const way of ['http', 'https'] as const)
  test(`journald, ${way}`, { skip: noJournal || rootOnly }, async (t) => {
    const directory = workspace(t);
    const journal = join(directory, 'journal');
    const etc = join(directory, 'etc');
    mkdirSync(journal);
    mkdirSync(etc);
    for (let n = 1; n <= count; n += 1) addEntry(join(journal, 'a.journal'), n, { MESSAGE: `event ${n}` });
    const { receiver, files } =
      way === 'https' ? await secure(t, 'https') : { receiver: await start(t, ['http']), files: '/nowhere' };
    writeFileSync(join(etc, 'holdfast.conf'), written('journald', way, { port: receiver.port(way), files }));
    // Its configuration is where the page says, in a mount namespace of its own.
    const script =
      'mkdir -p /etc/systemd/journal-upload.conf.d && mount --bind "$1" /etc/systemd/journal-upload.conf.d && shift && exec "$@"';
    const { code, output } = await run(t, 'unshare', [
      '--mount',
      'sh',
      '-c',
      script,
      'sh',
      etc,
      journalUpload,
      `--directory=${journal}`,
      `--save-state=${join(directory, 'cursor')}`,
      '--follow=no',
    ]);
    assert.equal(code, 0, output);
    const messages = receiver
      .stored()
      .filter(({ listener }) => listener.startsWith(`${way}=`))
      .flatMap(linesOf)
      .map(({ raw }) => String(valueOf(raw, 'MESSAGE')));
    assert.deepEqual(
      messages,
      Array.from({ length: count }, (_, n) => `event ${n + 1}`),
    );
    const program = `systemd-journal-upload ${versionOf(journalUpload, /^systemd (\S+)/)}`;
    recordSeen({ sender: 'journald', way, program, result: `${count} of ${count} entries, each once` });
  });

const otel = join(root, 'tools', 'otel-sender');

for (const way of ['protobuf', 'json'] as const)
  test(`opentelemetry, ${way}`, async (t) => {
    const receiver = await start(t, ['http']);
    const exports = written('opentelemetry', way, { port: receiver.port('http') });
    // The SDK of send.js takes its endpoint as an argument; it is the variable's.
    const command = `${exports}exec "$1" send.js ${way} none "$OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" one two`;
    const { code, output } = await run(t, 'sh', ['-c', command, 'sh', process.execPath], { cwd: otel });
    assert.equal(code, 0, output);
    const bodies = receiver.stored().filter(({ listener }) => listener.startsWith('http='));
    assert.equal(bodies.length, 1);
    for (const text of ['one', 'two']) assert.ok(bodies[0]?.raw.includes(text));
    const { version } = JSON.parse(
      spawnSync('cat', [join(otel, 'node_modules', '@opentelemetry', 'sdk-logs', 'package.json')], {
        encoding: 'utf8',
      }).stdout,
    );
    recordSeen({
      sender: 'opentelemetry',
      way,
      program: `@opentelemetry/sdk-logs ${version}`,
      result: '1 of 1 request with its 2 lines',
    });
  });

for (const way of ['tcp', 'udp'] as const)
  test(`logger, ${way}`, { skip: onPath('logger') ? false : 'logger is not installed' }, async (t) => {
    const name = way === 'tcp' ? 'syslogTcp' : 'syslogUdp';
    const kind = way === 'tcp' ? 'syslog-tcp' : 'syslog-udp';
    const receiver = await start(t, [kind]);
    const { code, output } = await run(t, 'sh', [
      '-c',
      written('logger', way, { port: receiver.port(name) }),
    ]);
    assert.equal(code, 0, output);
    await until(() => receiver.lines(`${kind}=`).length === 1);
    assert.match(receiver.lines(`${kind}=`)[0] ?? '', /^<13>.* backup.* it is done$/);
    const program = `util-linux ${versionOf('logger', /util-linux (\S+)/)}`;
    recordSeen({ sender: 'logger', way, program, result: '1 of 1 line' });
  });
