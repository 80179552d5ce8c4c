import type { Engine, TableLayout } from './engine.ts';

const worthIt = 50_000;

/**
 * Builds indices of parts that an insert left without them, and that may not be merged for long, or ever: large ones, and
 * any of another month, as nothing may come to be merged with it. Merges build them as they go; until then search
 * scans the part. Partitions are months.
 *
 * A part that is as it was inserted has level 0 and no mutation after its own block. Whether it has them is not told; to
 * build them once more does no harm.
 * @returns how many parts lacked them
 * @throws IndexError
 */
export const buildLateIndices = async (
  engine: Pick<Engine, 'run' | 'rows'>,
  { name }: TableLayout,
  indices: readonly string[],
): Promise<number> => {
  const [row] = await engine.rows(
    'background',
    `SELECT count() AS n FROM system.parts
    WHERE database = currentDatabase() AND table = '${name}' AND active AND level = 0
      AND data_version = min_block_number
      AND (rows >= ${worthIt} OR partition_id != formatDateTime(now('UTC'), '%Y%m'))`,
  );
  const parts = Number(row?.['n'] ?? 0);
  if (parts > 0)
    await engine.run(
      'background',
      `ALTER TABLE ${name} ${indices.map((index) => `MATERIALIZE INDEX ${index}`).join(', ')} SETTINGS mutations_sync = 1`,
    );
  return parts;
};
