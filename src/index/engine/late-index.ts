import type { Engine, TableLayout } from './engine.ts';

const worthIt = 50_000;

/**
 * Builds an index of large parts that an insert left without it. Merges build it as they go, but a large part may not be
 * merged for long; until it has the index, search scans it.
 *
 * A part that is as it was inserted has level 0 and no mutation after its own block.
 * @returns how many parts lacked it
 * @throws IndexError
 */
export const buildLateIndex = async (
  engine: Pick<Engine, 'run' | 'rows'>,
  { name }: TableLayout,
  index: string,
): Promise<number> => {
  const [row] = await engine.rows(
    'background',
    `SELECT count() AS n FROM system.parts
    WHERE database = currentDatabase() AND table = '${name}' AND active AND level = 0
      AND data_version = min_block_number AND rows >= ${worthIt}`,
  );
  const parts = Number(row?.['n'] ?? 0);
  if (parts > 0)
    await engine.run(
      'background',
      `ALTER TABLE ${name} MATERIALIZE INDEX ${index} SETTINGS mutations_sync = 1`,
    );
  return parts;
};
