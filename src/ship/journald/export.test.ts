import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShipError } from '../errors.ts';
import { exportParser } from './export.ts';

/** A field with its length before it, as journalctl prints values with control bytes or an LF. */
const binary = (name: string, value: Buffer): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
};

// Printed by systemd 252 for `logger --journald`, shortened; the binary message is as `MESSAGE` with two lines comes.
const first = Buffer.from(
  `__CURSOR=s=1980325a74b244578cfb200f2749a3e1;i=15b;b=0d86f95ffa3f48389c072ca3b2247b86;m=561ebfaf;t=660bf2d85bea2;x=a199c8dd38c7d736
__REALTIME_TIMESTAMP=1795224079023778
_HOSTNAME=vm
_UID=0
MESSAGE=hello=there
SYSLOG_IDENTIFIER=test
_TRANSPORT=journal
`,
);
const second = Buffer.concat([
  Buffer.from('__CURSOR=s=1980325a74b244578cfb200f2749a3e1;i=15c\n'),
  binary('MESSAGE', Buffer.from('two\n\nlines, \x00 and _SYSTEMD_UNIT=holdfast.service\n')),
  binary('EMPTY', Buffer.alloc(0)),
  binary('NOT_UTF8', Buffer.from([0xff, 0x0a, 0xfe, 0x3d])),
  Buffer.from('_SYSTEMD_UNIT=cron.service\n'),
]);
const stream = Buffer.concat([first, Buffer.from('\n'), second, Buffer.from('\n')]);

test('entries come out with their exact bytes, however the stream is cut', () => {
  for (let cut = 1; cut < stream.length; cut++) {
    const parse = exportParser(['__CURSOR', '_SYSTEMD_UNIT', 'SYSLOG_IDENTIFIER']);
    const entries = [...parse(stream.subarray(0, cut)), ...parse(stream.subarray(cut))];
    assert.deepEqual(
      entries.map((entry) => entry.raw.toString('latin1')),
      [first, second].map((raw) => raw.toString('latin1')),
    );
    assert.equal(entries[0]?.fields.get('SYSLOG_IDENTIFIER'), 'test');
    assert.equal(entries[1]?.fields.get('__CURSOR'), 's=1980325a74b244578cfb200f2749a3e1;i=15c');
    assert.equal(
      entries[1]?.fields.get('_SYSTEMD_UNIT'),
      'cron.service',
      'what a message contains is no field',
    );
  }
  const parse = exportParser([]);
  const entries = [...stream].flatMap((byte) => parse(Buffer.from([byte])));
  assert.equal(entries.length, 2);
});

test('an entry is not given before its empty line', () => {
  const parse = exportParser([]);
  assert.deepEqual(parse(first), []);
  assert.equal(parse(Buffer.from('\n')).length, 1);
});

test('a long binary field in small pieces takes no more than a moment', () => {
  const entry = Buffer.concat([
    Buffer.from('A=b\n'),
    binary('COREDUMP', Buffer.alloc(32 * 1024 * 1024, 'c\n')),
    Buffer.from('\n'),
  ]);
  const parse = exportParser([]);
  const began = process.cpuUsage();
  let found = 0;
  for (let at = 0; at < entry.length; at += 4096) found += parse(entry.subarray(at, at + 4096)).length;
  assert.equal(found, 1);
  // CPU time, which hardly depends on what else the machine does.
  assert.ok(process.cpuUsage(began).user < 3_000_000);
});

const refused = (text: string | Buffer): void =>
  assert.throws(
    () => exportParser([])(Buffer.from(text)),
    (error) => error instanceof ShipError && error.code === 'not-export-format',
  );

test('what is not the export format is refused', () => {
  refused('=value\n\n');
  refused(Buffer.concat([Buffer.from('A\n'), Buffer.alloc(8, 0xff), Buffer.from('x')]));
  refused(Buffer.concat([binary('A', Buffer.from('abc')).subarray(0, -1), Buffer.from('x\n')]));
});
