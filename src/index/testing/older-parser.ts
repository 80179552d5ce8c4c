import { openEngine } from '../engine/embedded.ts';
import type { Engine } from '../engine/engine.ts';
import { lines } from '../schema.ts';

/** Makes a stopped index into what a parser wrote which knew less. */
export const asAnOlderParserLeftItAt = async (path: string): Promise<void> => {
  const engine = await openEngine({ path });
  try {
    await asAnOlderParserLeftIt(engine);
  } finally {
    await engine.close();
  }
};

/** Other answers, under their own version. */
export const asAnOlderParserLeftIt = async (engine: Engine): Promise<void> => {
  await engine.run(
    'background',
    `ALTER TABLE lines UPDATE host = 'oldname', pid = NULL, claimed_apart = NULL, fields = map(), flags = 0,
      confidence = 0, parser_version = 1 WHERE true SETTINGS mutations_sync = 2`,
  );
  await engine.run(
    'background',
    `INSERT INTO progress (revision, entry, lines, state) SELECT revision + 1, entry, lines,
      replaceRegexpOne(state, '"version":"(\\\\d+)\\.\\d+"', '"version":"\\\\1.1"') FROM progress ORDER BY revision DESC LIMIT 1`,
  );
};

/** All rows with all columns in one number and their count, in no order. */
export const digestOf = async (engine: Engine, where = 'true'): Promise<string> => {
  const [row] = await engine.rows(
    'background',
    `SELECT concat(toString(count()), ' ', toString(groupBitXor(sipHash64(tuple(${lines.columns.map(([name]) => name).join(', ')}))))) AS digest FROM lines WHERE ${where}`,
  );
  return String(row?.['digest']);
};
