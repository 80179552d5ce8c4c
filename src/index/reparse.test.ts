import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEngine } from './engine/embedded.ts';
import { openIndex, type Index } from './indexer.ts';
import { utc } from './parse/timestamp.ts';
import { lines } from './schema.ts';
import { growVault, type GrownVault } from './testing/grown-vault.ts';
import { vaultSource } from './vault-source.ts';

/** What an index holds that a parser wrote which knew less: other answers, under its own version. */
const asAnOlderParserWroteIt = [
  `ALTER TABLE lines UPDATE host = 'oldname', pid = NULL, claimed = NULL, fields = map(), flags = 0,
     confidence = 0, parser_version = 1 WHERE true SETTINGS mutations_sync = 2`,
];
const underItsVersion = `INSERT INTO progress SELECT revision + 1, entry, lines,
  replaceRegexpOne(state, '"version":"(\\\\d+)\\\\.\\\\d+"', '"version":"\\\\1.1"') FROM progress ORDER BY revision DESC LIMIT 1`;

describe('parsing history again', () => {
  let grown: GrownVault;
  let index: Index;
  const said: string[] = [];

  const open = (): Promise<Index> =>
    openIndex({
      path: join(grown.root, 'index'),
      vault: vaultSource(grown.vault, grown.readKey),
      log: (_severity, message) => {
        said.push(message);
      },
      local: utc,
      pollMs: 20,
    });

  const whole = async (): Promise<void> => {
    for (
      const limit = performance.now() + 30_000;
      index.state().indexed < grown.appender.size();
      await sleep(5)
    )
      assert.ok(performance.now() < limit, `stuck: ${JSON.stringify(index.state())}`);
  };

  const everything = (): Promise<Record<string, unknown>[]> =>
    index.engine.rows(
      'background',
      `SELECT ${lines.columns.map(([name]) => (['message', 'prefix', 'suffix', 'raw', 'content'].includes(name) ? `hex(${name}) AS ${name}` : name)).join(', ')} FROM lines ORDER BY entry, line, part`,
    );

  const hosts = async (): Promise<unknown[]> =>
    (await index.engine.rows('background', 'SELECT DISTINCT host FROM lines ORDER BY host')).map(
      (row) => row['host'],
    );

  before(async () => {
    grown = await growVault();
    await grown.grow(
      [{ raw: '<189>123: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: x' }, { raw: '<13>app[3]: user=alice' }],
      [{ raw: '<34>1 2026-05-12T02:59:00Z web1 sshd 812 - - Failed password for alice' }],
    );
    index = await open();
    await whole();
  });
  after(async () => {
    await index.stop();
    grown.remove();
  });

  it('makes an index again that another version of the parser wrote, with its own answers', async () => {
    const wanted = await everything();
    await index.stop();
    const engine = await openEngine({ path: join(grown.root, 'index') });
    for (const statement of [...asAnOlderParserWroteIt, underItsVersion])
      await engine.run('background', statement);
    const [state] = await engine.rows(
      'background',
      'SELECT state FROM progress ORDER BY revision DESC LIMIT 1',
    );
    assert.match(String(state?.['state']), /"version":"\d+\.1"/);
    await engine.close();

    index = await open();
    await whole();
    assert.deepEqual(await everything(), wanted);
    assert.ok(
      said.some((message) => message.includes('another version')),
      said.join('\n'),
    );
  });

  it('parses all again on a rebuild', async () => {
    const wanted = await everything();
    for (const statement of asAnOlderParserWroteIt) await index.engine.run('background', statement);
    assert.deepEqual(await hosts(), ['oldname']);
    await index.rebuild();
    await whole();
    assert.deepEqual(await everything(), wanted);
    assert.deepEqual(await hosts(), ['', 'web1']);
  });
});
