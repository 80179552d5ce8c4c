import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Flag } from '#vault/record';
import { testAuthority } from '../../src/receive/testing/authority.ts';
import { prepareState, spawnReceiver, start, until } from '../../src/receive/testing/receiver.ts';
import { readStored } from '../../src/receive/testing/stored.ts';
import { freePort } from '../harness/free-port.ts';
import { log, numbersOf, startDaemon, upTo, workspace, type Daemon } from './daemon.ts';

const rsyslogd = '/usr/sbin/rsyslogd';
const modules = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((name) => `/usr/lib/${name}/rsyslog`)
  .find((directory) => existsSync(directory));
const missing = ['omrelp', 'lmnsd_gtls', 'lmnsd_ossl'].filter(
  (name) => modules === undefined || !existsSync(join(modules, `${name}.so`)),
);
const skip =
  missing.length === 0 && existsSync(rsyslogd)
    ? false
    : `${missing.join(', ')} not installed (apt-get install rsyslog rsyslog-relp rsyslog-gnutls rsyslog-openssl)`;
const patience = 60_000;

/** Its own socket, work directory and what `lines` say; each `way` takes what is logged under its name. */
const startRsyslog = async (
  t: TestContext,
  lines: readonly string[],
  ways: Readonly<Record<string, string>>,
): Promise<{ socket: string; daemon: Daemon }> => {
  const directory = workspace(t);
  const socket = join(directory, 'log');
  writeFileSync(
    join(directory, 'rsyslog.conf'),
    [
      'module(load="imuxsock" SysSock.Use="off")',
      'module(load="omrelp")',
      `input(type="imuxsock" Socket="${socket}" CreatePath="on")`,
      ...lines.map((line) => line.replace('DIRECTORY', directory)),
      ...Object.entries(ways).map(
        ([name, action]) =>
          `if $programname == '${name}' then { action(${action} template="RSYSLOG_SyslogProtocol23Format" action.resumeRetryCount="-1" action.resumeInterval="1") stop }`,
      ),
      '',
    ].join('\n'),
  );
  const daemon = startDaemon(t, rsyslogd, [
    '-n',
    '-f',
    join(directory, 'rsyslog.conf'),
    '-i',
    join(directory, 'pid'),
  ]);
  await until(() => existsSync(socket), patience);
  assert.ok(existsSync(socket), daemon.output());
  return { socket, daemon };
};

test(
  'rsyslog: every line once, over TLS with GnuTLS and OpenSSL, and over RELP plain and TLS',
  { skip },
  async (t) => {
    const authority = testAuthority(t);
    const { key, certificate } = authority.issue('web1.example');
    const receiver = await start(t, ['syslog-tls', 'relp', 'relp-tls'], {}, '127.0.0.1', () => undefined, {
      tls: authority.files,
    });
    const tls = (driver: string): string =>
      `type="omfwd" target="127.0.0.1" port="${receiver.port('syslogTls')}" protocol="tcp" TCP_Framing="octet-counted" ` +
      `StreamDriver="${driver}" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"`;
    const relp = (port: string): string => `type="omrelp" target="127.0.0.1" port="${receiver.port(port)}"`;
    const { socket, daemon } = await startRsyslog(
      t,
      [
        `global(workDirectory="DIRECTORY" DefaultNetstreamDriverCAFile="${authority.files.authority}" ` +
          `DefaultNetstreamDriverCertFile="${certificate}" DefaultNetstreamDriverKeyFile="${key}")`,
      ],
      {
        viagtls: tls('gtls'),
        viaossl: tls('ossl'),
        viarelp: relp('relp'),
        viarelptls:
          `${relp('relpTls')} tls="on" tls.caCert="${authority.files.authority}" tls.myCert="${certificate}" ` +
          `tls.myPrivKey="${key}" tls.authMode="name" tls.permittedPeer=["localhost"]`,
      },
    );
    const count = 1000;
    const found = (program: string): ReturnType<typeof numbersOf> => numbersOf(receiver.stored(), program);
    for (const program of ['viagtls', 'viaossl', 'viarelp', 'viarelptls']) {
      await log(t, socket, program, count);
      await until(() => found(program).length >= count, patience);
      assert.deepEqual(
        found(program).map(({ n }) => n),
        upTo(count),
        `${program}: ${daemon.output()}`,
      );
      const names = new Set(found(program).map(({ tlsName }) => tlsName));
      assert.deepEqual(names, new Set([program === 'viarelp' ? '' : 'web1.example']), program);
    }
    await daemon.stop();
    const losses = receiver.lines('receiver').filter((line) => /"kind":"(loss|torn|refusal)"/.test(line));
    assert.deepEqual(losses, [], 'it ends its sessions in order');
  },
);

test(
  'rsyslog over RELP loses nothing of a receiver that is killed, and copies are marked',
  { skip },
  async (t) => {
    const state = prepareState(t);
    const port = await freePort();
    let receiver = await spawnReceiver(t, state, { listen: [{ kind: 'relp', host: '127.0.0.1', port }] });
    const { socket, daemon } = await startRsyslog(t, ['global(workDirectory="DIRECTORY")'], {
      killed: `type="omrelp" target="127.0.0.1" port="${port}"`,
    });
    const count = 6000;
    const found = (): ReturnType<typeof numbersOf> =>
      numbersOf(readStored(state.intake).deliveries, 'killed');
    const logged = log(t, socket, 'killed', count);
    for (const atLeast of [1000, 2500, 4000]) {
      await until(() => found().length >= atLeast, patience);
      receiver.child.kill('SIGKILL');
      await receiver.exited;
      await wait(200);
      receiver = await spawnReceiver(t, state, { listen: [{ kind: 'relp', host: '127.0.0.1', port }] });
    }
    await logged;
    await until(() => new Set(found().map(({ n }) => n)).size === count, patience);
    const seen = new Set<number>();
    let copies = 0;
    for (const { n, flags } of found()) {
      if (seen.has(n)) {
        copies += 1;
        assert.notEqual(flags & Flag.possibleRedelivery, 0, `line ${n} came again and is not marked`);
      }
      seen.add(n);
    }
    assert.equal(seen.size, count, daemon.output());
    t.diagnostic(
      `${count} lines, receiver killed three times: none missing, ${copies} came twice, all marked`,
    );
  },
);
