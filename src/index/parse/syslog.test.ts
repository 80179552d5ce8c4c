import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, parse, seenPart, type Seen } from '../testing/seen.ts';
import { Guessed, none } from './parsed.ts';
import { machineZone } from './timestamp.ts';

describe('RFC 5424', () => {
  it('reads the example of the RFC with structured data', () => {
    const line = parse(
      '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"][examplePriority@32473 class="high"] \ufeffAn application event log entry...',
    );
    assert.deepEqual(
      seenPart(line, ['claimed', 'host', 'app', 'pid', 'facility', 'severity', 'message', 'confidence']),
      {
        claimed: '2003-10-11T22:14:15.003000Z',
        host: 'mymachine.example.com',
        app: 'evntslog',
        pid: null,
        facility: 20,
        severity: 5,
        message: 'An application event log entry...',
        confidence: 100,
      },
    );
    assert.deepEqual(line.fields, {
      msgid: 'ID47',
      'exampleSDID@32473.iut': '3',
      'exampleSDID@32473.eventSource': 'Application',
      'exampleSDID@32473.eventID': '1011',
      'examplePriority@32473.class': 'high',
    });
  });

  it('reads offsets, pids, escapes, and no message at all', () => {
    const line = parse('<34>1 2026-05-12T05:00:00.000003+02:00 h su 42 - [a@1 q="say \\"hi\\" \\\\ \\]"]');
    assert.equal(line.claimed, '2026-05-12T03:00:00.000003Z');
    assert.equal(line.pid, 42);
    assert.equal(line.fields['a@1.q'], 'say "hi" \\ ]');
    assert.equal(line.message, '');
  });

  it('takes nil values as absent', () => {
    const line = parse('<34>1 - - - - - - hello');
    assert.deepEqual(
      [line.claimed, line.host, line.app, line.pid, line.message],
      [null, '', '', null, 'hello'],
    );
  });

  it('keeps broken structured data in the message and says so', () => {
    const line = parse('<34>1 2026-05-12T03:00:00Z h a 1 - [broken x="1 hello');
    assert.equal(line.message, '[broken x="1 hello');
    assert.deepEqual(line.fields, { x: '1' });
    assert.ok(line.confidence < 100);
  });
});

describe('RFC 3164 and its dialects', () => {
  const cases: [text: string, wanted: Partial<Seen>][] = [
    [
      "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
      {
        claimed: '2025-10-11T22:14:15.000000Z',
        host: 'mymachine',
        app: 'su',
        message: "'su root' failed",
        facility: 4,
        severity: 2,
      },
    ],
    [
      '<13>May 12 02:59:59 web1 sshd[812]: hello',
      { claimed: '2026-05-12T02:59:59.000000Z', host: 'web1', app: 'sshd', pid: 812, message: 'hello' },
    ],
    ['<13>May  2 02:59:59 sshd[812]: no host', { host: '', app: 'sshd', pid: 812, message: 'no host' }],
    [
      '<13>May  2 02:59:59 root: as logger writes it',
      { host: '', app: 'root', message: 'as logger writes it' },
    ],
    ['<13>May 12 02:59:59 web1 hello there', { host: 'web1', app: '', message: 'hello there' }],
    [
      '<13>2026-05-12T03:00:00.5+00:00 web1 app[7]: iso',
      {
        claimed: '2026-05-12T03:00:00.500000Z',
        host: 'web1',
        app: 'app',
        pid: 7,
        message: 'iso',
        guessed: 0,
      },
    ],
    [
      '<189>*May 12 2026 02:59:59.250: %SYS-5-CONFIG: done',
      {
        claimed: '2026-05-12T02:59:59.250000Z',
        message: '%SYS-5-CONFIG: done',
        app: 'SYS',
        fields: { facility: 'SYS', mnemonic: 'CONFIG' },
        guessed: Guessed.zone | Guessed.clock,
      },
    ],
    ['<13>just text', { claimed: null, message: 'just text', facility: 1, severity: 5 }],
    ['<13>app[3]: tag without time', { claimed: null, app: 'app', pid: 3, message: 'tag without time' }],
    [
      'May 12 02:59:59 web1 cron[9]: no priority',
      { host: 'web1', app: 'cron', facility: none, severity: none, message: 'no priority' },
    ],
    ['<13>May 12 02:59:59 2001:db8::1 app: ipv6', { host: '2001:db8::1', app: 'app', message: 'ipv6' }],
    [
      '<192>May 12 02:59:59 h a: x',
      { facility: none, message: '<192>May 12 02:59:59 h a: x', confidence: 0 },
    ],
    ['plain text, no format', { message: 'plain text, no format', confidence: 0, facility: none }],
    ['', { message: '', confidence: 0 }],
  ];
  for (const [text, wanted] of cases) {
    it(JSON.stringify(text), () => {
      const keys = Object.keys(wanted).filter((key): key is keyof Seen => key in wanted);
      assert.deepEqual(seenPart(parse(text), keys), wanted);
    });
  }

  it('guesses the year from the receive time, over New Year in both directions', () => {
    assert.equal(
      parse('<13>Dec 31 23:59:59 h a: x', null, at('2026-01-01T00:00:05Z')).claimed,
      '2025-12-31T23:59:59.000000Z',
    );
    assert.equal(
      parse('<13>Jan  1 00:00:01 h a: x', null, at('2025-12-31T23:59:58Z')).claimed,
      '2026-01-01T00:00:01.000000Z',
    );
    assert.equal(
      parse('<13>Feb 29 12:00:00 h a: x', null, at('2026-05-12T03:00:00Z')).claimed,
      '2024-02-29T12:00:00.000000Z',
    );
    assert.equal(parse('<13>Feb 30 12:00:00 h a: x').claimed, null);
    assert.equal(parse('<13>Dec 31 23:59:59 h a: x').guessed, Guessed.year | Guessed.zone);
  });

  it('reads bytes that are not UTF-8 without touching them', () => {
    const line = parse(
      Buffer.concat([Buffer.from('<13>May 12 02:59:59 h a: '), Buffer.from([0xff, 0x00, 0xc3])]),
    );
    assert.equal(line.message, '\u00ff\u0000\u00c3');
  });
});

it('reads a time without a zone as this machine would', () => {
  assert.equal(
    machineZone(2026, 5, 12, 3, 0, 0),
    Math.floor(new Date(2026, 4, 12, 3, 0, 0).getTime() / 1000),
  );
});
