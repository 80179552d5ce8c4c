import type { Engine } from './engine/engine.ts';

const worthIt = 50_000;

/**
 * Builds the token index of large parts that an insert left without one. Merges build it as they go, but a large part
 * may not be merged for long; until it has the index, search scans it.
 *
 * A part that is as it was inserted has level 0 and no mutation after its own block.
 * @returns how many parts lacked it
 * @throws IndexError
 */
export const buildTokenIndex = async (engine: Engine): Promise<number> => {
  const [row] = await engine.rows(
    'background',
    `SELECT count() AS n FROM system.parts
    WHERE database = currentDatabase() AND table = 'lines' AND active AND level = 0
      AND data_version = min_block_number AND rows >= ${worthIt}`,
  );
  const parts = Number(row?.['n'] ?? 0);
  if (parts > 0)
    await engine.run(
      'background',
      'ALTER TABLE lines MATERIALIZE INDEX message_tokens SETTINGS mutations_sync = 1',
    );
  return parts;
};
