import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse, seenPart, type Seen } from '../testing/seen.ts';
import { asName, fromText, toBytes } from './byte-string.ts';
import { parseMeta } from './parse.ts';

describe('lines of the host', () => {
  it('reads a journal entry with binary fields', () => {
    const length = Buffer.alloc(8);
    length.writeUInt32LE(5);
    const raw = Buffer.concat([
      Buffer.from(
        '__CURSOR=s=1\n__REALTIME_TIMESTAMP=1778554800000001\n_HOSTNAME=web1\nPRIORITY=3\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=sshd\n_PID=77\n_SYSTEMD_UNIT=ssh.service\nMESSAGE\n',
      ),
      length,
      Buffer.from('a\nb\u0001c\n'),
    ]);
    assert.deepEqual(parse(raw, { via: 'journal', host: 'h', path: '' }), {
      claimed: '2026-05-12T03:00:00.000001Z',
      host: 'web1',
      app: 'sshd',
      pid: 77,
      facility: 10,
      severity: 3,
      message: 'a\nb\u0001c',
      fields: {
        _HOSTNAME: 'web1',
        PRIORITY: '3',
        SYSLOG_FACILITY: '10',
        SYSLOG_IDENTIFIER: 'sshd',
        _PID: '77',
        _SYSTEMD_UNIT: 'ssh.service',
      },
      confidence: 100,
      guessed: 0,
    });
    assert.equal(
      parse(raw.subarray(0, raw.length - 6), { via: 'journal', host: 'h', path: '' }).confidence,
      50,
    );
  });

  it('reads a kernel record', () => {
    const line = parse('4,339,5140900,-;NET: Registered PF_VSOCK\n SUBSYSTEM=pci\n', {
      via: 'kernel',
      host: 'h',
      path: '',
    });
    assert.deepEqual(seenPart(line, ['app', 'facility', 'severity', 'message', 'claimed']), {
      app: 'kernel',
      facility: 0,
      severity: 4,
      message: 'NET: Registered PF_VSOCK',
      claimed: null,
    });
    assert.equal(line.fields['kernel.SUBSYSTEM'], 'pci');
  });

  const files: [path: string, text: string, wanted: Partial<Seen>][] = [
    [
      '/var/log/auth.log',
      '2026-05-12T03:00:00.25+00:00 web1 sudo[5]: ok',
      { app: 'sudo', host: 'web1', pid: 5, message: 'ok', claimed: '2026-05-12T03:00:00.250000Z' },
    ],
    [
      '/var/log/dpkg.log',
      '2026-05-12 03:00:00 install nano:amd64 <none> 7.2-1',
      { app: 'dpkg', claimed: '2026-05-12T03:00:00.000000Z', message: 'install nano:amd64 <none> 7.2-1' },
    ],
    [
      '/var/log/apt/history.log',
      'Start-Date: 2026-05-12  03:00:00',
      { app: 'history', claimed: '2026-05-12T03:00:00.000000Z', message: 'Start-Date: 2026-05-12  03:00:00' },
    ],
    [
      '/var/log/nginx/access.log',
      '192.0.2.7 - - [12/May/2026:05:00:00 +0200] "GET / HTTP/1.1" 200 5',
      { app: 'access', claimed: '2026-05-12T03:00:00.000000Z' },
    ],
    [
      '/var/log/nginx/error.log',
      '2026/05/12 03:00:00 [error] 12#12: open() failed',
      { app: 'error', severity: 3, claimed: '2026-05-12T03:00:00.000000Z' },
    ],
    [
      '/var/log/apache2/error.log',
      '[Tue May 12 03:00:00.123456 2026] [core:error] [pid 5] x',
      { severity: 3, claimed: '2026-05-12T03:00:00.123456Z' },
    ],
    [
      '/var/log/alternatives.log.1',
      'no time here',
      { app: 'alternatives', claimed: null, message: 'no time here' },
    ],
  ];
  for (const [path, text, wanted] of files) {
    it(path, () => {
      const line = parse(text, { via: 'file', host: 'h', path });
      const keys = Object.keys(wanted).filter((key): key is keyof Seen => key in wanted);
      assert.deepEqual(seenPart(line, keys), wanted);
      assert.equal(line.fields['path'], path);
    });
  }

  it('renders facts and own lines, and survives what is no JSON', () => {
    const line = parse(
      '{"kind":"loss","time":"2026-05-12T03:00:00Z","cause":"kernel udp drop","count":3,"at":{"port":514}}',
      { via: 'self', host: 'h', path: '' },
    );
    assert.deepEqual(
      [line.app, line.message, line.claimed],
      ['holdfast', 'loss cause="kernel udp drop" count=3 at.port=514', '2026-05-12T03:00:00.000000Z'],
    );
    assert.equal(line.fields['at.port'], '514');
    assert.equal(parse('{broken', { via: 'fact', host: 'h', path: '' }).message, '{broken');
  });

  it('takes meta that cannot be read for none', () => {
    assert.equal(parseMeta('{'), null);
    assert.deepEqual(parseMeta('{"via":"file","host":"h","path":"/x"}'), {
      via: 'file',
      host: 'h',
      path: '/x',
    });
  });
});

it('cuts a name that is longer than any may be, and never within a character', () => {
  assert.equal(asName('h'.repeat(255)), 'h'.repeat(255));
  assert.equal(asName('h'.repeat(100_000)), `${'h'.repeat(252)}${fromText('\u2026')}`);
  assert.equal(
    toBytes(asName(fromText('\u00e4'.repeat(200)))).toString('utf8'),
    `${'\u00e4'.repeat(126)}\u2026`,
  );
  assert.equal(toBytes(asName('\u0000'.repeat(300))).toString('utf8'), `${'\\x00'.repeat(63)}\u2026`);
});
