import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { messageOf } from '#base/errors';
import { allowedByDefault, type ListenerKind } from '#wire/listen';
import { syslogNg, type SyslogNg } from '../../bench/syslog-ng/package.ts';
import { snippets, type Kind } from '../../src/cli/hosts/snippets/index.ts';
import { testAuthority } from '../../src/receive/testing/authority.ts';
import { start, until, type Started } from '../../src/receive/testing/receiver.ts';
import { onPath } from '../../tools/test/suites.ts';
import { recordSeen } from '../../tools/senders/seen.ts';
import { root } from '../harness/up.ts';
import { log, numbersOf, startDaemon, upTo, workspace, type Daemon } from './daemon.ts';
import { run } from './running.ts';
import { senderFiles, versionOf, written } from './written.ts';

/** Daemons with what `holdfast hosts snippet` prints, to the letter, beside the least that they need of their own. */
const patience = 60_000;
const count = 200;

type Way = {
  receiver: Started;
  directory: string;
  /** What the snippet says for this receiver. */
  text: string;
  kind: Kind;
};

/** The receiver knows the address of `syslog-tls` as `syslogTls`. */
const portName = (kind: Kind): string =>
  kind.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

const kindOf = (sender: string, way: string): ListenerKind & Kind => {
  const kind = snippets.find(({ name }) => name === sender)?.ways[way]?.kind;
  assert.ok(kind, `${sender} ${way}`);
  return kind;
};

const waysOf = (sender: string): string[] =>
  Object.keys(snippets.find(({ name }) => name === sender)?.ways ?? {});

/** A receiver for this way, and the sender's files. Over TLS the name is what the certificate says. */
const prepare = async (t: TestContext, sender: string, way: string): Promise<Way> => {
  const directory = workspace(t);
  const kind = kindOf(sender, way);
  if (!kind.endsWith('-tls')) {
    const receiver = await start(t, [kind]);
    return {
      receiver,
      directory,
      kind,
      text: written(sender, way, { port: receiver.port(portName(kind)) }),
    };
  }
  const authority = testAuthority(t);
  const files = senderFiles(directory, authority, authority.issue('web1.example'));
  const receiver = await start(t, [kind], {}, '127.0.0.1', () => undefined, {
    tls: authority.files,
    // loggen has no certificate to show, and its page says so.
    allowed: sender === 'loggen' ? { ...allowedByDefault, certificates: 'optional' } : allowedByDefault,
  });
  const text = written(sender, way, { host: 'localhost', port: receiver.port(portName(kind)), files });
  return { receiver, directory, kind, text };
};

/** Lines that differ through the daemon's socket; each must be stored, once, in order, and under the certificate's name. */
const logThrough = async (
  t: TestContext,
  { receiver, kind }: Way,
  socket: string,
  daemon: Daemon,
): Promise<string> => {
  const found = (): ReturnType<typeof numbersOf> => numbersOf(receiver.stored(), 'shown');
  await log(t, socket, 'shown', count);
  await until(() => found().length >= count, patience);
  await daemon.stop();
  const said = `${daemon.output()}\n${receiver.logged.join('\n')}`;
  assert.deepEqual(
    found().map(({ n }) => n),
    upTo(count),
    said,
  );
  const names = new Set(found().map(({ tlsName }) => tlsName));
  assert.deepEqual(names, new Set([kind.endsWith('-tls') ? 'web1.example' : '']), said);
  return `${count} of ${count} lines, each once`;
};

const rsyslogd = '/usr/sbin/rsyslogd';
const noRsyslog = existsSync(rsyslogd) ? false : 'rsyslog is not installed';

for (const way of waysOf('rsyslog'))
  test(`rsyslog, ${way}`, { skip: noRsyslog }, async (t) => {
    const prepared = await prepare(t, 'rsyslog', way);
    const { directory, text } = prepared;
    const socket = join(directory, 'log');
    const config = join(directory, 'rsyslog.conf');
    const own = [
      'module(load="imuxsock" SysSock.Use="off")',
      `input(type="imuxsock" Socket="${socket}" CreatePath="on")`,
      `global(workDirectory="${directory}")`,
    ];
    writeFileSync(config, `${own.join('\n')}\n${text}`);
    const daemon = startDaemon(t, rsyslogd, ['-n', '-f', config, '-i', join(directory, 'pid')]);
    await until(() => existsSync(socket), patience);
    assert.ok(existsSync(socket), daemon.output());
    const result = await logThrough(t, prepared, socket, daemon);
    const program = `rsyslogd ${versionOf(rsyslogd, /^rsyslogd\s+(\d[\d.]*\d)/, ['-v'])}`;
    recordSeen({ sender: 'rsyslog', way, program, result });
  });

const unpacked = ((): SyslogNg | string => {
  try {
    mkdirSync(join(root, '.cache'), { recursive: true });
    return syslogNg(join(root, '.cache'));
  } catch (error) {
    return messageOf(error);
  }
})();
const noSyslogNg = typeof unpacked === 'string' ? unpacked : false;
const rootOnly =
  process.getuid?.() === 0 ? false : 'a directory in /var/lib takes a mount namespace, and so root';

for (const way of waysOf('syslog-ng'))
  test(`syslog-ng, ${way}`, { skip: noSyslogNg || rootOnly }, async (t) => {
    assert.ok(typeof unpacked !== 'string');
    const prepared = await prepare(t, 'syslog-ng', way);
    const { directory, text } = prepared;
    const socket = join(directory, 'log');
    const config = join(directory, 'syslog-ng.conf');
    writeFileSync(config, `@version: 3.38\nsource s_src { unix-dgram("${socket}"); };\n${text}`);
    const files = ['persist-file', 'pidfile', 'control'].map((flag) => `--${flag}=${join(directory, flag)}`);
    // The package makes /var/lib/syslog-ng, for its buffers; unpacked beside the system it has its own, in a mount namespace.
    const script =
      'mount -t tmpfs none /var/lib && mkdir /var/lib/syslog-ng && export LD_LIBRARY_PATH="$1" && shift && exec "$@"';
    const { LD_LIBRARY_PATH: libraries = '', ...env } = unpacked.env;
    const command = [
      unpacked.program,
      ...unpacked.args,
      '-F',
      '--stderr',
      '--no-caps',
      '-f',
      config,
      ...files,
    ];
    const daemon = startDaemon(
      t,
      'unshare',
      ['--mount', 'sh', '-c', script, 'sh', libraries, ...command],
      env,
    );
    await until(() => existsSync(socket), patience);
    assert.ok(existsSync(socket), daemon.output());
    const result = await logThrough(t, prepared, socket, daemon);
    recordSeen({ sender: 'syslog-ng', way, program: `syslog-ng ${unpacked.version}`, result });
  });

for (const way of waysOf('loggen'))
  test(`loggen, ${way}`, { skip: noSyslogNg }, async (t) => {
    assert.ok(typeof unpacked !== 'string');
    const { receiver, text, kind } = await prepare(t, 'loggen', way);
    const usr = join(unpacked.root, 'usr');
    const { LD_LIBRARY_PATH: libraries = '', ...env } = unpacked.env;
    const { output } = await run(t, 'sh', ['-c', `export LD_LIBRARY_PATH="$1"\n${text}`, 'sh', libraries], {
      env: {
        ...env,
        PATH: `${join(usr, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
        SYSLOGNG_PREFIX: usr,
      },
    });
    const sent = Number(/count\s*=\s*(\d+)/.exec(output)?.[1]);
    assert.ok(sent >= 1000, output);
    // With --syslog-proto a byte order mark stands before the text.
    const numbers = (): number[] =>
      receiver
        .lines(`${kind}=`)
        .flatMap((line) => /(?: |\u00ef\u00bb\u00bf)seq: (\d+), /.exec(line)?.[1] ?? [])
        .map(Number);
    // It never reads TLS's session tickets, so that its close() is a reset: the receiver's kernel drops what was not read yet.
    if (way === 'tls') await until(() => numbers().length > 0, patience).then(() => receiver.stop());
    else await until(() => numbers().length >= sent, patience);
    const stored = numbers().toSorted((a, b) => a - b);
    assert.ok(stored.length > 0, output);
    assert.deepEqual(stored, upTo(way === 'tls' ? stored.length : sent));
    recordSeen({
      sender: 'loggen',
      way,
      program: `loggen ${unpacked.version}`,
      result:
        way === 'tls'
          ? 'each once and without a gap, but for the last ones before its reset'
          : `${sent} of ${sent} lines, each once`,
    });
  });

/** One GET through a unix socket. */
const get = (socketPath: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    })
      .on('error', reject)
      .end();
  });

for (const way of waysOf('nginx'))
  test(`nginx, ${way}`, { skip: onPath('nginx') ? false : 'nginx is not installed' }, async (t) => {
    const { receiver, directory, text, kind } = await prepare(t, 'nginx', way);
    const config = join(directory, 'nginx.conf');
    const socket = join(directory, 'http');
    writeFileSync(join(directory, 'holdfast.conf'), text);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${join(directory, name)};`,
    );
    writeFileSync(
      config,
      `daemon off; master_process off; pid ${join(directory, 'pid')}; events {}\n` +
        `http {\n${temporary.join('\n')}\ninclude ${join(directory, 'holdfast.conf')};\n` +
        `server { listen unix:${socket}; root ${directory}; }\n}\n`,
    );
    const daemon = startDaemon(t, 'nginx', ['-p', directory, '-c', config, '-e', 'stderr']);
    await until(() => existsSync(socket), patience);
    assert.ok(existsSync(socket), daemon.output());
    assert.equal(await get(socket, '/not-there'), 404);
    const lines = (): string[] => receiver.lines(`${kind}=`);
    await until(() => lines().length >= 2, patience);
    await daemon.stop();
    assert.equal(lines().length, 2, `${lines().join('\n')}\n${daemon.output()}`);
    // local7.info and local7.error
    const [access, error] = ['<190>', '<187>'].map((mark) => lines().find((line) => line.startsWith(mark)));
    assert.match(access ?? '', /nginx: .*"GET \/not-there HTTP\/1\.1" 404 /);
    assert.match(error ?? '', /nginx: .*\[error\].*not-there" failed \(2: No such file or directory\)/);
    const program = `nginx ${versionOf('nginx', /nginx\/(\S+)/, ['-v'])}`;
    recordSeen({ sender: 'nginx', way, program, result: 'access and error line, each once' });
  });
