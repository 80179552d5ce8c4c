import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { micros } from '#base/clock';
import type { Sender } from '#index';
import { SearchError } from '../errors.ts';
import type { Names } from './binder.ts';
import { asksForOwnLines, asksForReads, compileQuery } from './compile.ts';
import { parseQuery } from './parse.ts';
import { inScope } from './scope.ts';
import { questionMatcher } from './wildcard.ts';

const now = micros(Date.UTC(2026, 4, 12, 3, 0, 0) * 1000);
const hour = 3_600_000_000;

const sender = (more: Partial<Sender>): Sender => ({
  host: 'web1',
  app: 'sshd',
  source: '192.0.2.7',
  via: 'syslog-tcp',
  listener: 'syslog-tcp=127.0.0.1:514',
  numbered: false,
  lines: 1,
  first: now,
  last: now,
  ...more,
});
const senders = [
  sender({}),
  sender({ app: 'SSHD-session', host: 'db1' }),
  sender({ app: 'holdfast', via: 'self' }),
];

const namesAmong =
  (known: readonly Sender[]): Names =>
  (question) =>
    [...new Set(known.map((one) => one[question.field]))].filter(questionMatcher(question));

const where = (query: string): string => compileQuery(parseQuery(query, now), namesAmong(senders)).where;
const own = " AND via NOT IN ('fact', 'self')";

const mistake = (query: string): SearchError => {
  try {
    parseQuery(query, now);
  } catch (error) {
    assert.ok(error instanceof SearchError);
    assert.equal(error.code, 'bad-query');
    return error;
  }
  return assert.fail(`no mistake was found in ${query}`);
};

const scope = (query: string): string[] =>
  senders.filter((one) => inScope(parseQuery(query, now), one)).map(({ app }) => app);

describe('the query language', () => {
  it('joins words by AND, binds OR less, and takes NOT, - and parentheses', () => {
    assert.equal(
      where('zeta theta OR -iota'),
      `((message ILIKE {p0:String} AND message ILIKE {p1:String}) OR NOT (message ILIKE {p2:String}))${own}`,
    );
    assert.equal(
      where('zeta (theta OR NOT iota)'),
      `(message ILIKE {p0:String} AND (message ILIKE {p1:String} OR NOT (message ILIKE {p2:String})))${own}`,
    );
  });

  it('takes phrases, expressions and paths for what they are', () => {
    const { parameters } = compileQuery(
      parseQuery(
        '"a \\"b\\" %_" /x\\/y+/i /var/log/syslog /end/ pam_unix(sudo:session) http://h --flag 10:30:05',
        now,
      ),
      namesAmong([]),
    );
    const values = Object.values(parameters);
    for (const wanted of [
      '%a "b" \\%\\_%',
      '(?i)x/y+',
      '%/var/log/syslog%',
      'end',
      '%pam\\_unix(sudo:session)%',
      '%http://h%',
      '%--flag%',
      '%10:30:05%',
    ]) {
      assert.ok(values.includes(wanted), `${wanted} is not among ${JSON.stringify(values)}`);
    }
  });

  it('never splices what was typed into the SQL', () => {
    for (const text of [
      "x'; DROP TABLE lines --",
      '{p0:String}',
      '\\',
      '"quo\'te"',
      "host:o'brien",
      "n=v'",
      "/re'gex/",
      '*%_*',
    ]) {
      const compiled = compileQuery(parseQuery(text, now), namesAmong([sender({ host: "o'brien" })]));
      assert.match(
        compiled.where.replaceAll(own, '').replace('(k, v) -> ', ''),
        /^[A-Za-z0-9_(){}:[\], .=<>]*$/,
        text,
      );
    }
  });

  it('looks names up among the known senders', () => {
    const { parameters } = compileQuery(parseQuery('app:sshd* host:WEB1', now), namesAmong(senders));
    assert.deepEqual(parameters, { p0: ['sshd', 'SSHD-session'], p1: ['web1'] });
    assert.equal(where('app:nobody'), `false${own}`);
    assert.match(where('sshd'), /^\(message ILIKE .* OR app IN {p\d:Array\(String\)}\)/);
  });

  it('reads severities, facilities, pids and addresses', () => {
    assert.equal(where('severity:<=err'), `severity IN (0, 1, 2, 3)${own}`);
    assert.equal(where('severity:>=warning'), `severity IN (4, 5, 6, 7)${own}`);
    assert.equal(where('severity:error'), `severity IN (3)${own}`);
    assert.equal(where('facility:auth*'), `facility IN (4, 10)${own}`);
    assert.deepEqual(compileQuery(parseQuery('address:12:3', now), namesAmong([])).parameters, {
      p0: 12,
      p1: 3,
    });
    assert.deepEqual(compileQuery(parseQuery('address:12:3/4', now), namesAmong([])).parameters, {
      p0: 12,
      p1: 3,
      p2: 4,
    });
  });

  it('reads times, relative and absolute, in UTC', () => {
    const bounds = (query: string): (number | null)[] => {
      const { since, until } = parseQuery(query, now);
      return [since, until];
    };
    assert.deepEqual(bounds('since:2h until:10m x'), [now - 2 * hour, now - hour / 6]);
    assert.deepEqual(bounds('since:2026-05-12 until:2026-05-12'), [now - 3 * hour, now + 21 * hour]);
    assert.deepEqual(bounds('since:"2026-05-12 02:00" until:2026-05-12T03:00:00.5+01:00'), [
      now - hour,
      now - hour + 500_000,
    ]);
    assert.deepEqual(bounds('since:2026-05-12T04:30+02:00'), [now - hour / 2, null]);
    assert.deepEqual(bounds('since:"2026-05-12 02:00 UTC"'), [now - hour, null]);
    assert.deepEqual(bounds('since:"May 12 02:00" until:"May 12 02:30:00"'), [now - hour, now - hour / 2]);
    assert.deepEqual(bounds('since:"May 11" until:"May 11"'), [now - 27 * hour, now - 3 * hour]);
    assert.deepEqual(bounds('since:"may 13" until:"May  1"'), [
      now - 364 * 24 * hour - 3 * hour,
      now - 10 * 24 * hour - 3 * hour,
    ]);
    assert.deepEqual(bounds('(since:2h) since:1h'), [now - hour, null]);
  });

  it('takes the last time of a clock in its zone, and after until: also a time of today that is to come', () => {
    const late = micros(now + 20.5 * hour); // 23:30
    const bounds = (query: string): (number | null)[] => {
      const { since, until } = parseQuery(query, late);
      return [since, until];
    };
    assert.deepEqual(bounds('since:"01:00+02:00"'), [late - hour / 2, null]);
    assert.deepEqual(bounds('since:"22:00-02:00"'), [late - 23.5 * hour, null]);
    assert.deepEqual(bounds('since:23:30'), [late, null]);
    assert.deepEqual(bounds('since:"May 12 23:00" until:"May 12 23:45"'), [late - hour / 2, late + hour / 4]);
    assert.deepEqual(bounds('since:"May 12 23:45"'), [late + hour / 4 - 365 * 24 * hour, null]);
    const came = (query: string): unknown => parseQuery(query, late).expression;
    assert.deepEqual(came('received<"May 12 23:45"'), {
      kind: 'received',
      since: null,
      until: late + hour / 4,
    });
    assert.deepEqual(came('received<="May 12"'), { kind: 'received', since: null, until: late + hour / 2 });
  });

  it('leaves out own lines unless they are asked for by name', () => {
    for (const query of ['app:holdfast', 'app:hold*', 'x OR app:Holdfast', 'address:1:2'])
      assert.equal(asksForOwnLines(parseQuery(query, now).expression), true, query);
    for (const query of ['', 'holdfast', 'app:*', '-app:holdfast', 'app:sshd'])
      assert.equal(asksForOwnLines(parseQuery(query, now).expression), false, query);
  });

  it('leaves out records of reads unless they are asked for by their kind', () => {
    for (const query of ['app:holdfast kind=read', 'app:holdfast kind=* web1', 'address:1:2'])
      assert.equal(asksForReads(parseQuery(query, now).expression), true, query);
    for (const query of [
      'app:holdfast',
      'app:holdfast kind=loss',
      'app:holdfast -kind=read',
      'app:holdfast read',
    ])
      assert.equal(asksForReads(parseQuery(query, now).expression), false, query);
  });

  it('says where a mistake is, and what to write instead', () => {
    const cases: [query: string, column: number, suggestion: RegExp][] = [
      ['a hots:web1', 2, /host:web1/],
      ['sudo:session', 0, /"sudo:session"/],
      ['a "open', 2, /add a "/],
      ['a (b', 2, /add a \)/],
      ['a b)', 3, /quote it/],
      ['a OR', 4, /quote/],
      ['OR a', 0, /"OR"/],
      ['()', 1, /parentheses/],
      ['severity:loud', 9, /emerg/],
      ['pid:x', 4, /pid:812/],
      ['address:12', 8, /12:3/],
      ['since:someday', 6, /since:10m/],
      ['since:2026-02-30', 6, /since:10m/],
      ['until:2025-02-29T00:00:00Z', 6, /until:10m/],
      ['since:"Feb 30"', 6, /since:10m/],
      ['received:lately', 9, /since:10m/],
      ['received="2026-05-12 03:00"', 9, /received>=2026-05-12 03:00/],
      ['msg:hello', 0, /did you mean message:hello/],
      ['severity:!=err', 9, /write -severity:err/],
      ['since:1h until:2h', 9, /they mean 2026-05-12T02:00:00/],
      ['severty:err', 0, /did you mean severity:err\?/],
      ['severity:<=eror', 11, /did you mean err\?/],
      ['facility:atuh', 9, /did you mean auth\?/],
      ['user:alice', 0, /user=alice/],
      ['source:10.0.0.0/33', 7, /0 to 32/],
      ['source:10.0.0/8', 7, /0 to 32/],
      ['source:10.0.0.300', 7, /quote it/],
      ['status>=high', 8, /quote it/],
      ['since=1h', 0, /since:1h/],
      ['around:12', 7, /around:12:3/],
      ['a OR around:12:3', 5, /parentheses/],
      ['host:(a OR app:b)', 11, /host:\(a OR b\)/],
      ['host:(a OR b', 5, /add a \)/],
      ['a OR since:1h', 5, /parentheses/],
      ['-since:1h', 1, /parentheses/],
    ];
    for (const [query, column, suggestion] of cases) {
      const error = mistake(query);
      assert.equal(error.column, column, query);
      assert.match(error.suggestion ?? '', suggestion, query);
    }
  });

  it('bounds what it takes', () => {
    assert.match(mistake('('.repeat(150)).message, /levels/);
    assert.match(mistake('NOT '.repeat(150)).message, /levels/);
    assert.match(mistake('a '.repeat(1000)).message, /words/);
  });

  it('tells which senders could have sent what is asked for', () => {
    assert.deepEqual(scope('any text'), ['sshd', 'SSHD-session']);
    assert.deepEqual(scope('host:db1 text'), ['SSHD-session']);
    assert.deepEqual(scope('-host:db1'), ['sshd']);
    assert.deepEqual(scope('host:db1 OR /x/'), ['sshd', 'SSHD-session']);
    assert.deepEqual(scope('until:2026-05-11'), []);
    assert.deepEqual(scope('app:holdfast'), ['holdfast']);
  });

  describe('takes @NAME for the search that is saved under it', () => {
    const saved = new Map([
      ['logins', 'zeta OR theta'],
      ['both', '@logins since:1h'],
      ['loop', 'a @loop'],
      ['wrong', 'hots:x'],
      ['orphan', 'a @gone'],
    ]);
    const asked = (query: string) => parseQuery(query, now, saved);
    const mistakeIn = (query: string): SearchError => {
      try {
        asked(query);
      } catch (error) {
        if (error instanceof SearchError) return error;
      }
      return assert.fail(`no mistake was found in ${query}`);
    };

    it('as if it stood there in parentheses, and so within another', () => {
      const typed = (query: string) => compileQuery(parseQuery(query, now), namesAmong(senders));
      const meant = (query: string) => compileQuery(asked(query), namesAmong(senders));
      assert.equal(meant('iota -@logins').where, typed('iota -(zeta OR theta)').where);
      assert.equal(meant('(@both)').where, typed('((zeta OR theta) since:1h)').where);
      assert.equal(asked('@both').since, now - hour);
    });

    it('and says with a caret where there is none, or where it cannot stand', () => {
      const none = mistakeIn('app:sshd @login');
      assert.deepEqual([none.column, none.message], [9, "there is no saved search 'login'"]);
      assert.match(none.suggestion ?? '', /did you mean @logins\?.*"@login"/);
      assert.match(mistakeIn('x OR @both').message, /^since: .* cannot stand under OR/);
      assert.equal(mistakeIn('x OR @both').column, 5);
      assert.match(mistakeIn('x @loop').message, /asks for itself/);
      assert.equal(mistakeIn('x @wrong').column, 2);
      assert.match(mistakeIn('x @orphan').message, /'orphan' asks for @gone, and no search is saved/);
      assert.match(
        mistakeIn('@a').message,
        /no saved search/,
        'a name alone is no text, unless it is quoted',
      );
    });

    it('and leaves text that looks like one', () => {
      for (const text of ['"@logins"', "'@logins'", 'alice@logins', '@', '@-x', '@a,b'])
        assert.equal(asked(text).expression.kind, 'text', text);
    });
  });
});
