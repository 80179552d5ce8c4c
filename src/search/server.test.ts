import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { micros, systemClock, type Micros } from '#base/clock';
import { answer as answerSchema, health, searchError, source } from '#wire/search';
import { testTime } from '../index/testing/grown-vault.ts';
import { startSearchServer } from './server.ts';
import { bodyOf, serveVault, type ServedVault } from './testing/served-vault.ts';

const raw = (text: string): string => `MESSAGE=${text}\n_HOSTNAME=web1\n`;

describe('search over its socket', () => {
  let served: ServedVault;
  const odd = Buffer.from([0x3c, 0x31, 0x33, 0x3e, 0x00, 0xff, 0xfe, 0x1b, 0x5b, 0x6d]);

  before(async () => {
    served = await serveVault([
      {
        raw: '<35>1 2026-05-12T02:00:00Z web1 sshd 812 - [origin@1 ip="192.0.2.9"] Failed password for alice',
        peer: '192.0.2.1:1000',
      },
      {
        raw: '<38>1 2026-05-12T02:30:00Z web2 sshd 813 - - Accepted password for bob',
        peer: '192.0.2.2:1000',
      },
      { raw: odd },
      { raw: '<13>May 12 03:00:00 db1 postgres[9]: connection refused: 10.0.0.7', peer: '[2001:db8::7]:99' },
      {
        raw: 'MESSAGE=numbered one\n_HOSTNAME=web1\nSYSLOG_IDENTIFIER=unit\n',
        stream: 'agent-1',
        sequence: 1,
        listener: 'own',
        peer: 'agent',
        meta: '{"via":"journal","host":"web1"}',
      },
      {
        raw: '{"kind":"loss","cause":"kernel udp drop","listener":"syslog-udp=127.0.0.1:514","count":7,"since":"2026-05-12T02:59:00.000000Z","until":"2026-05-12T02:59:01.000000Z"}',
        listener: 'receiver',
        peer: 'receiver',
        meta: '{"via":"self","host":"web1"}',
      },
    ]);
  });
  after(() => served.remove());

  it('replaces a stale socket and keeps others out', () => {
    assert.equal(statSync(served.socket).mode & 0o777, 0o660);
  });

  it('refuses to take the socket of one that serves', async () => {
    await assert.rejects(
      startSearchServer({
        socket: served.socket,
        index: served.index,
        clock: systemClock(),
        log: () => undefined,
        record: async () => undefined,
      }),
      {
        code: 'internal',
      },
    );
  });

  const queries: [query: string, lines: number[]][] = [
    ['', [1, 2, 3, 4, 5]],
    ['PASSWORD', [1, 2]],
    ['password -bob', [1]],
    ['alice OR bob', [1, 2]],
    ['"for alice"', [1]],
    ['(alice OR refused) host:web1', [1]],
    ['refus', [4]],
    ['10.0.0.7', [4]],
    ['conn*10.0', [4]],
    ['/^(Failed|Accepted) p/', [1, 2]],
    ['/^failed/i', [1]],
    ['sshd', [1, 2]],
    ['host:web*', [1, 2, 5]],
    ['source:2001:db8::7', [4]],
    ['severity:<=err', [1]],
    ['facility:auth', [1, 2]],
    ['pid:812', [1]],
    ['origin@1.ip=192.0.2.*', [1]],
    ['ip=192.0.2.9', []],
    ['via:journal', [5]],
    ['address:0:2', [2]],
    ['since:"2026-05-12 02:30" until:"2026-05-12 03:00"', [2]],
    ['app:holdfast', [6]],
    ['app:holdfast kind=loss', [6]],
    ['udp drop', []],
    ['/\\xFF/', []],
    ['nothing', []],
  ];
  for (const [query, wanted] of queries) {
    it(`finds ${JSON.stringify(query)}`, async () => {
      const { hits, answer } = await served.find(query);
      assert.deepEqual(
        hits.map((hit) => Number(hit.address.split(':')[1])).toSorted((a, b) => a - b),
        wanted,
      );
      assert.equal(answer.count, wanted.length);
    });
  }

  it('gives every field of a hit, and the exact bytes', async () => {
    const [first] = (await served.find('alice')).hits;
    assert.ok(first !== undefined);
    const { committed, parser, ...rest } = first;
    assert.ok(parser !== undefined && parser > 1);
    assert.match(committed, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.deepEqual(rest, {
      address: '0:1',
      claimed: '2026-05-12T02:00:00.000000Z',
      received: '2026-05-12T03:00:00.000000Z',
      time: '2026-05-12T02:00:00.000000Z',
      host: 'web1',
      source: '192.0.2.1',
      app: 'sshd',
      pid: 812,
      facility: 'auth',
      severity: 'err',
      message: 'Failed password for alice',
      fields: { 'origin@1.ip': '192.0.2.9' },
      guessed: [],
      confidence: 100,
      via: 'syslog-tcp',
      raw: Buffer.from(
        '<35>1 2026-05-12T02:00:00Z web1 sshd 812 - [origin@1 ip="192.0.2.9"] Failed password for alice',
      ).toString('base64'),
    });
    const [strange] = (await served.find('address:0:3')).hits;
    assert.equal(strange?.message, '\\x00\\xff\\xfe\\x1b[m');
    assert.equal(strange?.raw, odd.toString('base64'));
  });

  it('gives the newest or the oldest, in the order of a log file, and counts them all', async () => {
    const newest = await served.find('password', { limit: 1 });
    assert.deepEqual([newest.hits.map(({ address }) => address), newest.answer.count], [['0:2'], 2]);
    const oldest = await served.find('password', { limit: 1, from: 'oldest' });
    assert.deepEqual([oldest.hits.map(({ address }) => address), oldest.answer.count], [['0:1'], 2]);
    assert.deepEqual(
      (await served.find('password')).hits.map(({ address }) => address),
      ['0:1', '0:2'],
    );
    assert.deepEqual(
      [
        (await served.find('password', { limit: 0 })).answer.count,
        (await served.find('password', { limit: 0 })).hits.length,
      ],
      [2, 0],
    );
  });

  it('answers for integrity, completeness and range, and does not echo the query', async () => {
    const { answer } = await served.find('alice since:2026-05-12');
    assert.equal(answer.integrity.verdict, 'unaltered');
    assert.deepEqual(
      [answer.integrity.indexed, answer.integrity.committed],
      [served.index.state().indexed, served.index.state().committed],
    );
    const { since, until, covered } = answer.range;
    assert.deepEqual([since, until], ['2026-05-12T00:00:00.000000Z', null]);
    assert.ok(covered !== null && covered !== undefined);
    assert.ok(covered.from > '2026-05-12T00', 'there was nothing before the first line');
    assert.ok(covered.until > covered.from && covered.until < '2026-05-13', 'nor anything after the newest');
    assert.equal(answer.completeness.verdict, 'known gaps');
    assert.deepEqual(answer.completeness.gaps, [
      {
        sender: 'syslog-udp=127.0.0.1:514',
        cause: 'kernel udp drop',
        count: 7,
        from: '2026-05-12T02:59:00.000000Z',
        until: '2026-05-12T02:59:01.000000Z',
      },
    ]);
    assert.match(answer.completeness.detail, /192\.0\.2\.1 by syslog-tcp/);
    assert.ok(!JSON.stringify(answer).includes('alice'));
    const quieter = await served.find('until:"2026-05-12 02:15"');
    assert.equal(quieter.answer.completeness.verdict, 'unknown');
    const quiet = await served.find('until:2026-05-01');
    assert.equal(quiet.answer.completeness.verdict, 'complete');
  });

  it('names numbers that never came', async () => {
    const from = {
      listener: 'own',
      peer: 'agent',
      meta: '{"via":"journal","host":"web1"}',
      stream: 'agent-2',
      received: micros(testTime + 7_200_000_000),
    };
    await served.add([
      { ...from, raw: raw('a'), sequence: 1 },
      { ...from, raw: raw('b'), sequence: 4 },
    ]);
    const { answer } = await served.find('via:journal since:"2026-05-12 04:30"');
    assert.deepEqual(answer.completeness.gaps, [
      {
        sender: 'agent-2',
        cause: 'numbers 2 to 3 never came',
        count: 2,
        from: '2026-05-12T05:00:00.000000Z',
        until: '2026-05-12T05:00:00.000000Z',
      },
    ]);
    await served.add([
      { ...from, raw: raw('c'), sequence: 2 },
      { ...from, raw: raw('d'), sequence: 3 },
      { ...from, raw: raw('b'), sequence: 4 },
    ]);
    const range = 'via:journal since:"2026-05-12 04:30"';
    const open = await served.find(range);
    assert.deepEqual([open.answer.completeness.verdict, open.answer.count], ['unknown', 4]);
    assert.match(open.answer.completeness.detail, /received up to 2026-05-12T05:00:00\.000000Z/);
    await served.add([{ ...from, raw: raw('e'), sequence: 5, received: micros(testTime + 10_800_000_000) }]);
    const closed = (await served.find(`${range} until:"2026-05-12 05:30"`)).answer;
    assert.deepEqual([closed.completeness.verdict, closed.count], ['complete', 4]);
    assert.match(closed.completeness.detail, /missing up to .*5 of agent-2/);
  });

  it('names the gaps of the range asked for, however many came after', async () => {
    const from = {
      listener: 'own',
      peer: 'agent',
      meta: '{"via":"journal","host":"web1"}',
      stream: 'agent-3',
    };
    const at = (hours: number): { received: Micros } => ({
      received: micros(testTime + hours * 3_600_000_000),
    });
    await served.add([
      { ...from, ...at(24), raw: raw('f'), sequence: 1 },
      { ...from, ...at(24), raw: raw('g'), sequence: 3 },
      { ...from, ...at(26), raw: raw('g'), sequence: 4 },
      ...Array.from({ length: 30 }, (_, i) => ({
        ...from,
        ...at(48 + i),
        raw: raw('h'),
        sequence: 4 + 2 * (i + 1),
      })),
    ]);
    const older = (await served.find('via:journal since:"2026-05-13 02:00" until:"2026-05-13 04:00"')).answer;
    assert.deepEqual(
      older.completeness.gaps.map(({ cause }) => cause),
      ['number 2 never came'],
    );
    const newer = (await served.find('via:journal since:"2026-05-13 23:00"')).answer;
    assert.equal(newer.completeness.gaps.length, 20);
    assert.match(newer.completeness.detail, /10 more gaps in the numbers of this range/);
  });

  it('says where a query is wrong', async () => {
    const cases: [body: unknown, code: string, column: number | null][] = [
      [{ query: 'a hots:b' }, 'bad-query', 2],
      [{ query: 'a /x(/' }, 'bad-query', 2],
      [{ query: 'a', limit: -1 }, 'bad-request', null],
      [{ query: 'a', nonsense: 1 }, 'bad-request', null],
    ];
    for (const [asked, code, column] of cases) {
      for (const path of ['/search', '/tail']) {
        if (path === '/tail' && code === 'bad-request') continue;
        const response = await served.call('POST', path, asked);
        const { error } = searchError.parse(JSON.parse(await bodyOf(response)));
        assert.deepEqual([response.statusCode, error.code, error.column], [400, code, column]);
      }
    }
    assert.equal((await served.call('GET', '/nowhere')).statusCode, 404);
  });

  it('answers SQL that only reads the table', async () => {
    const response = await served.call('POST', '/sql', {
      sql: "SELECT app, count() AS n FROM lines WHERE message LIKE '%password%' GROUP BY app",
    });
    const [row, last = ''] = (await bodyOf(response)).trimEnd().split('\n');
    assert.deepEqual(JSON.parse(row ?? ''), { app: 'sshd', n: 2 });
    const { answer } = answerSchema.parse(JSON.parse(last));
    assert.deepEqual([answer.count, answer.integrity.verdict], [1, 'unaltered']);
    for (const [sql, column] of [
      ['SELECT app FROM lines\nWHERE app = = 1', 34],
      ['SELECT app FRM lines', 15],
      ['SELECT app app app FROM lines', 15],
      ['SELECT nothing FROM lines', null],
    ] as const) {
      const bad = await served.call('POST', '/sql', { sql });
      const { error: mistake } = searchError.parse(JSON.parse(await bodyOf(bad)));
      assert.deepEqual(
        [bad.statusCode, mistake.code, mistake.column],
        [400, 'bad-query', column],
        `${sql}: ${mistake.message}`,
      );
      assert.doesNotMatch(mistake.message, /DB::Exception|version|Code:/);
    }
    const refused = await served.call('POST', '/sql', { sql: "SELECT a,\n file('/etc/passwd') FROM lines" });
    const { error } = searchError.parse(JSON.parse(await bodyOf(refused)));
    assert.deepEqual([refused.statusCode, error.code, error.column], [400, 'bad-query', 11]);
  });

  it('lists sources and its own state', async () => {
    const sources = source.array().parse(JSON.parse(await bodyOf(await served.call('GET', '/sources'))));
    const sshd = sources.find(({ host, app }) => host === 'web1' && app === 'sshd');
    assert.deepEqual(sshd, {
      host: 'web1',
      app: 'sshd',
      source: '192.0.2.1',
      via: 'syslog-tcp',
      lines: 1,
      first: '2026-05-12T02:00:00.000000Z',
      last: '2026-05-12T02:00:00.000000Z',
    });
    const state = health.parse(JSON.parse(await bodyOf(await served.call('GET', '/health'))));
    assert.equal(state.indexed, served.index.state().indexed);
    assert.ok(state.lines > 0 && state.residentBytes > 0);
  });
});
