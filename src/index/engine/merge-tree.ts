import type { TableDefinition } from './engine.ts';

/** Seconds for which parts are kept that others have replaced. */
export const oldPartsLifetime = 15;

/** What a table's definition says in SQL, for whoever makes it. */
export type MergeTreeClauses = {
  /** Columns and indices, between the brackets. */
  columns: string;
  /** `MergeTree` or one of its kin, and what stands between its brackets. */
  family: 'MergeTree' | 'ReplacingMergeTree';
  arguments: readonly string[];
  /** PARTITION BY, ORDER BY and SETTINGS. */
  storage: string;
  comment: string;
};

/** @param settings what the engine adds of its own */
export const mergeTree = (table: TableDefinition, settings: readonly string[] = []): MergeTreeClauses => {
  const columns = table.columns.map(([name, type]) => {
    const codec = table.codecs[name];
    return `${name} ${type}${codec === undefined ? '' : ` CODEC(${codec})`}`;
  });
  const aliases = table.aliases.map(([name, type, expression]) => `${name} ${type} ALIAS ${expression}`);
  const indices = table.indices.map((index) => `INDEX ${index}`);
  const all = [...table.settings, `old_parts_lifetime = ${oldPartsLifetime}`, ...settings];
  return {
    columns: [...columns, ...aliases, ...indices].join(',\n  '),
    family: table.keeps === 'all' ? 'MergeTree' : 'ReplacingMergeTree',
    arguments: table.keeps === 'all' ? [] : ['revision'],
    storage: [
      ...(table.partition === null ? [] : [`PARTITION BY ${table.partition}`]),
      `ORDER BY ${table.order}`,
      `SETTINGS ${all.join(', ')}`,
    ].join('\n'),
    comment: `COMMENT '${table.comment}'`,
  };
};
