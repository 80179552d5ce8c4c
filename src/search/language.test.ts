import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros, systemClock, type Micros } from '#base/clock';
import { counts as countsSchema } from '#wire/counts';
import { matchingLines, type Rows } from './matching-lines.ts';
import { readQuery } from './query/read.ts';
import { compiledFor } from './search.ts';
import { bodyOf, serveVault, type ServedVault } from './testing/served-vault.ts';
import type { TestLine } from '../index/testing/grown-vault.ts';

const at = (time: string): Micros => micros(Date.parse(`2026-05-12T${time}Z`) * 1000);

/** One line of each: `[time, priority, host, app, pid, message, peer]`. Their addresses are 0:1, 0:2, … */
const said: [string, number, string, string, string, string, string][] = [
  ['02:00:00', 35, 'web1', 'sshd', '812', 'Failed password for alice from 10.0.0.5 port 40022', '10.0.0.5'],
  [
    '02:10:00',
    38,
    'web2',
    'sshd',
    '813',
    'Accepted publickey for bob from 10.0.0.55 port 22',
    '::ffff:10.0.0.5',
  ],
  ['02:20:00', 38, 'db1', 'sshd-session', '9', 'Connection refused from 110.0.0.5.', '192.0.2.7'],
  ['02:30:00', 27, 'web1', 'nginx', '77', 'level=error user=alice status=502 took=0.75', '10.0.0.9'],
  ['02:31:00', 31, 'web1', 'nginx', '77', 'user=bob status=200 "GET /cart?order=7&x=1 HTTP/1.1"', '10.0.0.9'],
  ['02:40:00', 4, 'fw1', 'kernel', '-', 'IN=eth0 SRC=10.9.8.7 DST=2001:db8::7 LEN=60', '2001:db8::7'],
  ['02:41:00', 13, 'mx1', 'mail', '5', 'no-reply: can\'t open "C:\\temp" for alice@example.com', '192.0.2.8'],
  ['02:50:00', 14, 'db1', 'app', '7', 'peer [2001:DB8:0:0:0:0:0:7]:514 wrote /var/log/syslog', '192.0.2.7'],
  [
    '02:55:00',
    14,
    'db1',
    'app',
    '8',
    '‘10.0.0.5’ said user=alice.smith; std::string at main.go:42',
    '192.0.2.7',
  ],
  ['02:55:20', 14, '10.0.0.5', 'app', '8', 'No such file or directory: 50%_done', '192.0.2.9'],
  ['02:45:00', 14, 'old1', 'billing', '8', 'for user malicé éalice', '192.0.2.10'],
];
/** Lines that are Latin-1 as they come, by their numbers. */
const latin1 = [11];
const lines: TestLine[] = said.map(([time, priority, host, app, pid, message, peer], index) => ({
  raw: Buffer.from(
    `<${priority}>1 2026-05-12T${time}Z ${host} ${app} ${pid} - - ${message}`,
    latin1.includes(index + 1) ? 'latin1' : 'utf8',
  ),
  peer: peer.includes(':') ? `[${peer}]:1000` : `${peer}:1000`,
  received: at(time),
}));

/** A query, and the numbers of the lines that it finds. */
const cases: [query: string, found: number[]][] = [
  ['', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ['failed password', [1]],
  ['PASSWORD alice', [1]],
  ['"failed password"', [1]],
  ["'failed password'", [1]],
  ['"password failed"', []],
  ['failed OR refused', [1, 3]],
  ['from (failed OR refused)', [1, 3]],
  ['-alice', [2, 3, 5, 6, 8, 10]],
  ['NOT alice', [2, 3, 5, 6, 8, 10]],
  ['-"failed password" sshd', [2, 3]],
  ['/(failed|accepted) p/i', [1, 2]],
  ['/^Failed/', [1]],
  ['/port \\d{5}$/', [1]],
  ['/publickey for B?ob from \\S+ port 2/i', [2]],
  ['/KEY FOR BO/i', [2]],
  ['/KEY FOR BO/', []],
  ['/word for ali+ce/', [1]],
  ['/ectory: 5[0-9]%/', [10]],
  ['/alice/', [1, 4, 7, 9, 11]],
  ['fail*alice', [1]],
  ['no such file or directory', [10]],
  // Text as it stands
  ['no-reply', [7]],
  ['alice@example.com', [7]],
  ['/var/log/syslog', [8]],
  ["can't", [7]],
  ['C:\\temp', [7]],
  ['"open \\"C"', [7]],
  ['std::string', [9]],
  ['main.go:42', [9]],
  ['50%_done', [10]],
  ['order=7', [5]],
  ['/cart?order=7', [5]],
  ['message:sshd', []],
  ['message:alice', [1, 4, 7, 9, 11]],
  // Words that are not UTF-8
  ['alice', [1, 4, 7, 9, 11]],
  ['alice*', [1, 4, 7, 9, 11]],
  ['"user mal"', [11]],
  ['malic', [11]],
  // Addresses
  ['10.0.0.5', [1, 9, 10]],
  ['"from 10.0.0.5"', [1]],
  ['"word for alice from 10.0.0.5"', [1]],
  ['"ALICE from 10.0.0."', [1]],
  ['"10.0.0.5 port 400"', [1]],
  ['"10.0.0.5’ said"', [9]],
  ['from*10.0.0.5', [1, 3]],
  ['10.0.0.', [1, 2, 9, 10]],
  ['10.0.0.*', [1, 2, 9, 10]],
  ['110.0.0.5', [3]],
  ['10.0.0.5 OR 10.0.0.55', [1, 2, 9, 10]],
  ['message:10.0.0.5', [1, 9]],
  ['-10.0.0.5 sshd', [2, 3]],
  ['10.0.0.5*', [1, 2, 9, 10]],
  ['"from 10.0.0.55 port"', [2]],
  ['::ffff:10.0.0.5', [1, 9, 10]],
  ['10.0.0.5:22', []],
  ['10.0.0.55', [2]],
  ['0.0.5', [1, 2, 3, 9, 10]],
  ['2001:db8::7', [6, 8]],
  ['[2001:db8::7]:514', [8]],
  ['2001:db8::', []],
  ['/10\\.0\\.0\\.5/', [1, 2, 3, 9]],
  // Names
  ['host:web1', [1, 4, 5]],
  ['host:WEB*', [1, 2, 4, 5]],
  ['host:web1,db1', [1, 3, 4, 5, 8, 9]],
  ['host:(web1 OR db1)', [1, 3, 4, 5, 8, 9]],
  ['host:(web* -web2)', [1, 4, 5]],
  ['host=web1', [1, 4, 5]],
  ['host!=web1', [2, 3, 6, 7, 8, 9, 10, 11]],
  ['app:sshd', [1, 2]],
  ['app:sshd*', [1, 2, 3]],
  ['program:sshd', [1, 2]],
  ['sshd', [1, 2, 3]],
  ['source:10.0.0.5', [1, 2]],
  ['source:10.0.0.0/8', [1, 2, 4, 5]],
  ['source:2001:db8::/32', [6]],
  ['source:2001:0db8:0::7', [6]],
  ['host:10.0.0.0/8', [10]],
  ['-source:10.0.0.0/8 db1', [3, 8, 9]],
  ['app:""', []],
  ['host:""', []],
  ['via:syslog-tcp', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ['listener:syslog-tcp*', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ['listener:syslog-udp*', []],
  // What syslog says
  ['severity:err', [1, 4]],
  ['severity:<=err', [1, 4]],
  ['severity<=err', [1, 4]],
  ['level:error', [1, 4]],
  ['severity:>=info', [2, 3, 5, 8, 9, 10, 11]],
  ['severity:warning,notice', [6, 7]],
  ['facility:auth', [1, 2, 3]],
  ['facility:kern', [6]],
  ['pid:812', [1]],
  ['pid>=800', [1, 2]],
  // Fields
  ['user=alice', [1, 4]],
  ['user=ali*', [1, 4, 9]],
  ['user=*', [1, 2, 4, 5, 9]],
  ['user!=alice', [2, 5, 9]],
  ['-user=alice', [2, 3, 5, 6, 7, 8, 9, 10, 11]],
  ['"user=alice"', [4, 9]],
  ['status>=500', [4]],
  ['status<500', [5]],
  ['status<=502', [4, 5]],
  ['status>502', []],
  ['took>0.5', [4]],
  ['status!=502', [5]],
  ['user="Alice"', [1, 4]],
  ['user=alice status>=500 nginx', [4]],
  ['user=alice rhost=10.0.0.5', [1]],
  ['user=alice took=0.75', [4]],
  ['x=1', [5]],
  ['x=*', []],
  ['order=7 x=1 user=bob', [5]],
  ['DST=2001:db8::7', [6]],
  ['SRC=10.9.8.7', [6]],
  ['user=*alice*', [1, 4, 9]],
  ['user=alice.smith', [9]],
  ['host!=web1 user=*', [2, 9]],
  ['SRC=10.0.0.0/8', [6]],
  ['SRC=10.1.0.0/16', []],
  ['DST=2001:db8::/32', [6]],
  // By the name of a search that was saved
  ['@failed-logins', [1, 4]],
  ['-@failed-logins user=*', [2, 5, 9]],
  // What is said of lines, and not by them
  ['guessed=year', []],
  ['guessed=*', []],
  ['claimed_host_mismatch=*', [10]],
  ['possible_redelivery=true', []],
  ['conflicting_number=*', []],
  ['conflicting_key=*', []],
  // Time and place
  ['since:"2026-05-12 02:50"', [8, 9, 10]],
  ['since:2026-05-12 02:50', [8, 9, 10]],
  ['until:"2026-05-12 02:10"', [1]],
  ['since:2026-05-12 until:2026-05-12 alice', [1, 4, 7, 9, 11]],
  ['since:1h', []],
  ['since:today', []],
  ['until:"2026-05-12 02:10" since:"2026-05-12 02:00"', [1]],
  ['received:1h', []],
  ['received>="2026-05-12 02:49"', [8, 9, 10]],
  ['received<2026-05-12', []],
  ['received=2026-05-12', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ['-received<="2026-05-12 02:50" OR mail', [7, 9, 10]],
  ['received:2026-05-12 received<"2026-05-12 02:10"', [1]],
  ['address:0:3', [3]],
  ['around:0:9', [9, 10]],
  ['around:0:9/5m', [8, 9, 10]],
  ['around:0:9/20s', [9, 10]],
  ['around:0:9/20s db1', [9]],
  ['around:0:9/10s', [9]],
];

const docs = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'search.md'), 'utf8');

/** What stands as code in the first column of the first table of a text. */
const firstColumn = (text: string): string[] => {
  const [table = ''] = /^\|.*?(?=^\s*$)/ms.exec(text) ?? [];
  return table
    .split('\n')
    .slice(2)
    .flatMap((row) => {
      const [first = ''] = row.replaceAll('\\|', '\u0000').split('|').slice(1);
      return [...first.matchAll(/`([^`]+)`/g)].map(([, query = '']) => query.replaceAll('\u0000', '|'));
    });
};
const documented = firstColumn(docs);
const documentedTimes = firstColumn(docs.slice(docs.indexOf('### Times')));

/** As of a backlog: parts have no token index as they were inserted. */
const indexedLate = { rows: 1, bytes: Infinity };

describe('the query language on lines', () => {
  let served: ServedVault;
  before(async () => {
    served = await serveVault(lines, { wordsFrom: 1, limits: indexedLate });
    await bodyOf(
      await served.call('POST', '/save', { name: 'failed-logins', query: 'user=alice OR status>=500' }),
    );
    await add();
  });

  const add = (): Promise<number> =>
    served.add([
      {
        raw: '<14>1 2026-05-13T02:55:20Z later app - - - another part of the table',
        received: at('23:00:00'),
      },
    ]);
  after(() => served.remove());

  const check = async (): Promise<void> => {
    const wrong: string[] = [];
    for (const [nth, [query, wanted]] of cases.entries()) {
      const { hits, answer } = await served.find(query);
      const found = hits
        .map(({ address }) => address.split(':').map(Number))
        .filter(([entry]) => entry === 0)
        .map(([, line = 0]) => line)
        .toSorted((a, b) => a - b);
      if (String(found) !== String(wanted))
        wrong.push(`${query}: found ${String(found)}, wanted ${String(wanted)}`);
      if (answer.count !== hits.length) wrong.push(`${query}: counted ${answer.count} of ${hits.length}`);
      // Of every third, for the time that it takes.
      const grouped = nth % 3 === 0 ? await groupedBy('host', query) : answer.count;
      if (grouped !== answer.count) wrong.push(`${query}: ${grouped} of ${answer.count} counted by host`);
    }
    assert.deepEqual(wrong, []);
  };

  /** How many lines are in all groups. */
  const groupedBy = async (name: string, query: string): Promise<number> => {
    const text = await bodyOf(await served.call('POST', '/counts', { query, by: [name], bars: 3 }));
    const { counts } = countsSchema.parse(JSON.parse(text.slice(0, text.indexOf('\n'))));
    const inBars = (counts.histogram?.bars ?? []).reduce((sum, { count }) => sum + count, 0);
    const inGroups = counts.groups.reduce((sum, { count }) => sum + count, counts.others.count);
    assert.equal(inBars, inGroups, query);
    return inGroups;
  };

  it('finds what it says, in parts as they were inserted', check);

  it('finds the same once the token index is built', async () => {
    await served.index.engine.run('background', 'OPTIMIZE TABLE lines FINAL');
    const [part] = await served.index.engine.rows(
      'background',
      "SELECT sum(secondary_indices_compressed_bytes) AS bytes FROM system.parts WHERE table = 'lines' AND active",
    );
    assert.ok(Number(part?.['bytes']) > 0);
    await check();
  });

  it('finds the same once the words of the token index are known, of lines that came since too', async () => {
    const { index } = served;
    for (const end = performance.now() + 60_000; index.words()?.below !== index.state().indexed;) {
      assert.ok(performance.now() < end, 'the words are not listed');
      await sleep(20);
    }
    await check();
    assert.match((await counted('password')).from, /^lines PREWHERE .+ WHERE entry < \d+ AND /);
    await add();
    assert.equal(index.words()?.below, index.state().indexed - 1);
    // Those that came since the list was made are asked for by the text, in the same statement.
    const { from, parameters, settings } = await counted('password');
    assert.match(from, /^\(SELECT host FROM lines PREWHERE .+ UNION ALL SELECT host FROM lines WHERE .+\)$/);
    assert.deepEqual([...new Set(Object.keys(parameters).map((name) => name[0]))].toSorted(), ['p', 'w']);
    assert.match(settings, /^ SETTINGS /);
    await check();
  });

  /** What is counted for a query. */
  const counted = async (query: string): Promise<Rows> => {
    const { index } = served;
    const prepared = await compiledFor(index, await readQuery(index, query, systemClock()), 'true');
    return (await matchingLines(index, prepared, index.state().indexed, 'use')).rows('host');
  };

  it('is shown in docs/search.md row by row as it is tried here', () => {
    assert.ok(documented.length > 30, documented.join('\n'));
    const tried = new Set(cases.map(([query]) => query));
    assert.deepEqual(
      documented.filter((query) => !tried.has(query)),
      [],
    );
  });

  it('takes each time that docs/search.md shows', async () => {
    assert.ok(documentedTimes.length >= 9, documentedTimes.join('\n'));
    for (const time of documentedTimes)
      assert.equal(
        (await served.find(`-nothing since:${time}`, { limit: 0 })).answer.range.since !== null,
        true,
        time,
      );
  });

  it('finds a line by the time at which it came, and by the one that it claims', async () => {
    for (const [query, found] of [
      ['later received=2026-05-12', true],
      ['later received>=2026-05-13', false],
      ['later since:2026-05-13', true],
      ['later until:2026-05-12', false],
    ] as const)
      assert.equal((await served.find(query)).hits.length > 0, found, query);
  });

  it('says that the line of around: is not there', async () => {
    const response = await served.call('POST', '/search', { query: 'x around:7:1' });
    assert.equal(response.statusCode, 400);
  });
});
