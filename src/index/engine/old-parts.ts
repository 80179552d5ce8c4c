import type { Engine, TableLayout } from './engine.ts';
import { oldPartsLifetime } from './merge-tree.ts';

type Statements = Pick<Engine, 'run' | 'rows'>;

/**
 * Deletes parts that merges have replaced, once they are as old as the tables' `old_parts_lifetime`. The engine has a
 * task of its own for this, which chDB never runs; dropping a partition does the same work, also one that is not there
 * (those of `lines` are months, those of the others are `all`).
 * @throws IndexError
 */
export const deleteOldParts = async (engine: Statements, tables: readonly TableLayout[]): Promise<void> => {
  const names = tables.map(({ name }) => `'${name}'`).join(', ');
  const rows = await engine.rows(
    'background',
    `SELECT DISTINCT table FROM system.parts
    WHERE database = currentDatabase() AND table IN (${names}) AND NOT active`,
  );
  for (const row of rows)
    await engine.run('background', `ALTER TABLE ${String(row['table'])} DROP PARTITION ID 'none'`);
};

/**
 * Deletes at once what a deletion of rows has replaced, however young: its lines are not to be found on this disk any
 * more. What a power cut may lose with it is made again from the vault.
 * @throws IndexError
 */
export const deletePartsNow = async (engine: Statements, { name }: TableLayout): Promise<void> => {
  const lifetime = (seconds: number): Promise<void> =>
    engine.run('background', `ALTER TABLE ${name} MODIFY SETTING old_parts_lifetime = ${seconds}`);
  await lifetime(0);
  try {
    await engine.run('background', `ALTER TABLE ${name} DROP PARTITION ID 'none'`);
  } finally {
    await lifetime(oldPartsLifetime);
  }
};
