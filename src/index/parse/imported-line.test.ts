import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse, type Seen } from '../testing/seen.ts';
import { parseMeta } from './parse.ts';

const read = (raw: string, path: string, writtenBy: string): Seen =>
  parse(
    Buffer.from(raw),
    parseMeta(JSON.stringify({ via: 'import', host: 'h', path, writtenBy: Date.parse(writtenBy) * 1000 })),
  );

describe('lines of imported files', () => {
  it('have the year in which the file was written, also across its turn', () => {
    const at = (raw: string): string | null => read(raw, '/srv/syslog.1.gz', '2023-01-02T06:25:00Z').claimed;
    assert.equal(at('Dec 31 23:59:58 web1 sshd[1]: old'), '2022-12-31T23:59:58.000000Z');
    assert.equal(at('Jan  1 00:00:03 web1 sshd[2]: new'), '2023-01-01T00:00:03.000000Z');
  });

  it('are read as syslog, JSON or text, whatever each is, and name their file', () => {
    const path = '/srv/app.log-20230603.gz';
    const seen = (raw: string): Seen => read(raw, path, '2023-06-04T00:00:00Z');
    assert.deepEqual(
      [
        seen('<34>1 2023-06-02T00:00:00Z db1 pg 7 - - five four two four'),
        seen('{"time":"2023-06-01T10:00:00Z","level":"error","msg":"hello","user":"ann"}'),
        seen('2023-06-01 10:00:00 user=bob came'),
        seen('no time here'),
      ].map(({ claimed, host, app, message, fields }) => [
        claimed,
        host,
        app,
        message,
        fields['user'],
        fields['path'],
      ]),
      [
        ['2023-06-02T00:00:00.000000Z', 'db1', 'pg', 'five four two four', undefined, path],
        ['2023-06-01T10:00:00.000000Z', '', '', 'hello', 'ann', path],
        ['2023-06-01T10:00:00.000000Z', '', 'app', 'user=bob came', 'bob', path],
        [null, '', 'app', 'no time here', undefined, path],
      ],
    );
  });
});
