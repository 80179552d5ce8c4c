import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { messageOf } from '#base/errors';
import { AlertError } from './errors.ts';

/**
 * What is kept of alerts between two starts: how far each rule has looked, what is firing, what is known, and the events
 * that are still to be said. A change is whole or did not happen (SQLite, fsync at each commit).
 */
export type Store = {
  /** Another for each store that is made: numbers of events begin again in a new one. */
  readonly id: string;
  run(sql: string, ...values: SQLInputValue[]): void;
  rows(sql: string, ...values: SQLInputValue[]): Record<string, SQLOutputValue>[];
  /** All of it or nothing. */
  transaction<T>(work: () => T): T;
  close(): void;
};

/** `day`: days since the epoch. Times: µs since the epoch, `longest` µs. */
const schema = `
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rule (
  name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, position INTEGER NOT NULL,
  learned INTEGER NOT NULL, first INTEGER, fired INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (
  rule TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (rule, value)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS firing (
  rule TEXT NOT NULL, key TEXT NOT NULL, episode TEXT NOT NULL, since INTEGER NOT NULL, last INTEGER NOT NULL,
  lines INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (rule, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heard (
  rule TEXT NOT NULL, key TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (rule, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pauses (
  rule TEXT NOT NULL, key TEXT NOT NULL, day INTEGER NOT NULL, lines INTEGER NOT NULL, longest INTEGER NOT NULL,
  PRIMARY KEY (rule, key, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failing (
  rule TEXT PRIMARY KEY, episode TEXT NOT NULL, since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, event TEXT NOT NULL, said INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS notification (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL
) STRICT;
`;

/**
 * @param directory of the evaluator alone; made if it is missing
 * @throws AlertError `state-unusable`
 */
export const openStore = (directory: string): Store => {
  let database: DatabaseSync;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(join(directory, 'alerts.db'));
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    database.exec(schema);
  } catch (error) {
    throw new AlertError(
      'state-unusable',
      `cannot open what is kept of alerts in ${directory}: ${messageOf(error)}. Alerts begin anew without it: move it away`,
      { cause: error },
    );
  }
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  const prepared = (sql: string): ReturnType<DatabaseSync['prepare']> => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = database.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  const store: Omit<Store, 'id'> = {
    run: (sql, ...values) => void prepared(sql).run(...values),
    rows: (sql, ...values) => prepared(sql).all(...values),
    transaction(work) {
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => database.close(),
  };
  store.run(`INSERT OR IGNORE INTO about VALUES ('id', ?)`, randomBytes(4).toString('hex'));
  const [about] = store.rows(`SELECT value FROM about WHERE name = 'id'`);
  return { ...store, id: String(about?.['value']) };
};
