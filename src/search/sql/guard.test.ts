import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { searchError } from '#wire/search';
import { bodyOf, serveVault, type ServedVault } from '../testing/served-vault.ts';

/** What asks for something else than lines, one way or another. */
const refused = [
  'DROP TABLE lines',
  'SELECT 1; DROP TABLE lines',
  'INSERT INTO lines (entry) SELECT 1',
  'WITH 1 AS x INSERT INTO lines (entry) SELECT x',
  'EXPLAIN SELECT 1',
  'SELECT 1 SETTINGS readonly = 0',
  "SELECT 1 INTO OUTFILE '/tmp/holdfast-x'",
  'SELECT 1 FORMAT TSV',
  'SELECT 1 PARALLEL WITH SELECT 2',
  'SELECT nonsense FROM lines',
  'SELECT * FROM lines WHERE message = {x:String}',
  // tables
  'SELECT count() FROM system.tables',
  'SELECT count() FROM `system`.tables',
  'SELECT count() FROM "system"."processes"',
  'SELECT count() FROM `system.tables`',
  'SELECT count() FROM SYSTEM.tables',
  'SELECT count() FROM information_schema.tables',
  'SELECT count() FROM progress',
  'SELECT count() FROM default.progress',
  'SELECT count() FROM lines, system.one',
  'SELECT count() FROM lines JOIN system.one ON true',
  'SELECT (SELECT count() FROM system.one)',
  'SELECT * FROM (SELECT * FROM (SELECT * FROM system.one))',
  'WITH a AS (SELECT * FROM system.one) SELECT * FROM a',
  'WITH system.one AS u SELECT * FROM u',
  'WITH a AS (SELECT 1) SELECT * FROM lines UNION ALL SELECT name FROM `system`.`tables`',
  'SELECT 1 INTERSECT SELECT dummy FROM system.one',
  'SELECT 1 WHERE 1 IN system.one',
  'SELECT 1 WHERE 1 IN (system.one)',
  'SELECT 1 WHERE 1 IN (SELECT dummy FROM system.one)',
  'SELECT 1 WHERE 1 GLOBAL NOT IN `system`.one',
  'SELECT 1 WHERE EXISTS (SELECT 1 FROM system.one)',
  'SELECT * FROM "lines\n   TableIdentifier x"',
  'SELECT 1 AS "x\nFunction y"',
  // table functions
  "SELECT query FROM merge('system', '^processes$')",
  "SELECT query FROM `merge`('system', '^processes$')",
  "SELECT * FROM merge(currentDatabase(), 'lines')",
  "SELECT 1 WHERE 1 IN merge('system', '^one$')",
  "SELECT * FROM fileCluster('default', '/etc/passwd', 'LineAsString')",
  "SELECT * FROM file('/etc/passwd', LineAsString)",
  "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
  "SELECT * FROM s3('http://127.0.0.1:1/x')",
  "SELECT * FROM remote('127.0.0.1', 'system.one')",
  "SELECT * FROM cluster('default', 'system.one')",
  "SELECT * FROM clusterAllReplicas('default', 'system.processes')",
  "SELECT * FROM executable('id', 'TSV', 'a String')",
  "SELECT * FROM sqlite('/etc/x', 'y')",
  "SELECT * FROM mergeTreeIndex('default', 'lines')",
  "SELECT * FROM dictionary('x')",
  'SELECT * FROM view(SELECT * FROM system.one)',
  'SELECT * FROM loop(system.one) LIMIT 1',
  "SELECT * FROM generateRandom('a Int') LIMIT 1",
  "SELECT * FROM input('a String')",
  "SELECT * FROM python('x')",
  // functions
  "SELECT file('/etc/passwd')",
  "SELECT FILE('/etc/passwd')",
  "SELECT `file`('/etc/passwd')",
  'SELECT "f\\x69le"(\'/etc/passwd\')',
  "SELECT/**/file('/etc/passwd')",
  "SELECT/* /* */ */file('/etc/passwd')",
  "SELECT 'a\\' , file('/etc/passwd') , '",
  "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
  'SELECT message APPLY(file) FROM lines',
  'SELECT * APPLY(getServerSetting) FROM lines',
  'WITH file AS f SELECT f(message) FROM lines',
  "SELECT count() FROM lines ORDER BY file('/etc/passwd')",
  "SELECT count() FROM lines HAVING file('/etc/passwd') != ''",
  "SELECT count() FROM lines LIMIT length(file('/etc/passwd'))",
  "SELECT row_number() OVER (ORDER BY file('/etc/passwd')) FROM lines",
  "SELECT countIf(file('/etc/passwd') != '')",
  "SELECT getSetting('readonly')",
  "SELECT getServerSetting('max_server_memory_usage')",
  'SELECT hostName()',
  'SELECT fqdn()',
  'SELECT uptime()',
  'SELECT version()',
  'SELECT getOSKernelVersion()',
  'SELECT currentUser()',
  'SELECT currentDatabase()',
  'SELECT filesystemAvailable()',
  'SELECT serverTimezone()',
  "SELECT getMacro('x')",
  'SELECT showCertificate()',
  "SELECT hasColumnInTable('system', 'tables', 'name')",
  "SELECT dictGet('x', 'y', 1)",
  "SELECT joinGet('x', 'y', 1)",
  'SELECT sleep(1)',
  'SELECT addressToSymbol(1)',
  "SELECT aiGenerate('x')",
  "SELECT catboostEvaluate('/x', 1)",
  'SELECT $a$;$a$',
];

const answered: [sql: string, rows: Record<string, unknown>[]][] = [
  ['SELECT count() AS n FROM lines', [{ n: 2 }]],
  ['select count() as n from default.lines', [{ n: 2 }]],
  ['SELECT count() AS n FROM `lines` AS system_lines', [{ n: 2 }]],
  ["SELECT app, countIf(message LIKE '%one%') AS n FROM lines GROUP BY app", [{ app: 'a', n: 1 }]],
  ['WITH t AS (SELECT app FROM lines), 5 AS k SELECT count() + k AS n FROM t', [{ n: 7 }]],
  ['SELECT n FROM (SELECT count() AS n FROM lines)', [{ n: 2 }]],
  ['SELECT count() AS n FROM lines WHERE app IN (SELECT app FROM lines)', [{ n: 2 }]],
  ["SELECT count() AS n FROM lines WHERE app IN ('a', 'b')", [{ n: 2 }]],
  ['SELECT number AS n FROM numbers(2)', [{ n: 0 }, { n: 1 }]],
  [
    'SELECT l.app AS a, n.number AS n FROM lines AS l JOIN numbers(1) AS n ON true LIMIT 1',
    [{ a: 'a', n: 0 }],
  ],
  ["SELECT CAST('7' AS UInt8) AS n, CASE WHEN 1 THEN 'x' END AS c, [1, 2][2] AS e", [{ n: 7, c: 'x', e: 2 }]],
  ["SELECT quantileExactIf(0.5)(line, app = 'a') AS q FROM lines", [{ q: 2 }]],
  [
    'SELECT max(row) AS n FROM (SELECT row_number() OVER (PARTITION BY app ORDER BY line) AS row FROM lines)',
    [{ n: 2 }],
  ],
  ["SELECT toStartOfHour(time) = time AS t, lower(upper('a')) AS l FROM lines LIMIT 1", [{ t: 1, l: 'a' }]],
  ["SELECT 'file(); -- /* system.one' AS s -- file()", [{ s: 'file(); -- /* system.one' }]],
  ["SELECT fields['x'] AS x, mapContains(fields, 'x') AS has FROM lines LIMIT 1", [{ x: '', has: 0 }]],
  ['SELECT count() AS n FROM lines UNION ALL SELECT 9', [{ n: 2 }, { n: 9 }]],
  ['SELECT arrayJoin(arrayMap(x -> x + 1, [1, 2])) AS n', [{ n: 2 }, { n: 3 }]],
  ["SELECT uniqExact(app) AS n, groupArray(message)[1] != '' AS g FROM lines", [{ n: 1, g: 1 }]],
];

describe('SQL that somebody else wrote', () => {
  let served: ServedVault;
  before(async () => {
    served = await serveVault([
      { raw: '<13>May 12 03:00:00 h a: one' },
      { raw: '<13>May 12 03:00:00 h a: two' },
    ]);
  });
  after(() => served.remove());

  for (const sql of refused) {
    it(`refuses ${sql}`, async () => {
      const response = await served.call('POST', '/sql', { sql });
      const body = await bodyOf(response);
      assert.equal(response.statusCode, 400, body);
      assert.equal(searchError.parse(JSON.parse(body)).error.code, 'bad-query');
    });
  }

  for (const [sql, rows] of answered) {
    it(`answers ${sql}`, async () => {
      const response = await served.call('POST', '/sql', { sql });
      const body = await bodyOf(response);
      assert.equal(response.statusCode, 200, body);
      const found = body
        .trimEnd()
        .split('\n')
        .slice(0, -1)
        .map((line): Record<string, unknown> => JSON.parse(line));
      const key = Object.keys(rows[0] ?? {})[0] ?? '';
      assert.deepEqual(
        found.toSorted((a, b) => Number(a[key]) - Number(b[key])),
        rows,
      );
    });
  }

  it('has lost nothing by all that', async () => {
    assert.equal((await served.find('')).answer.count, 2);
  });
});
