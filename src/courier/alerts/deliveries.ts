import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { micros, type Micros } from '#base/clock';
import { notification as schema, type Notification, type NotifyTarget } from '#wire/alert';

/** One notification on its way to one who is notified. */
export type Delivery = {
  /** Its own among all that there ever were. */
  place: number;
  notification: Notification;
  target: string;
  /** The address of a mail; else what is shown of where it goes. */
  to: string;
  /** Attempts that were made. */
  attempts: number;
  since: Micros;
};

/** What is to be delivered, kept until it is, or is given up. Each change is durable when it returns. */
export type Deliveries = {
  /** Whether a notification was taken before. */
  has(sequence: { store: string; number: number }): boolean;
  /** Takes one: from then on it is delivered, however often this process ends. */
  take(notification: Notification, targets: readonly NotifyTarget[], now: Micros): void;
  /** The one of a target that is to be tried next: of those that are due the one that was tried least, of those the oldest. */
  next(target: string, isDue: (place: number) => boolean): Delivery | null;
  tried(delivery: Delivery): void;
  done(delivery: Delivery): void;
  /** Names with something to deliver. */
  waiting(): string[];
  close(): void;
};

const tables = `
CREATE TABLE IF NOT EXISTS taken (store TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notification (id TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
  place INTEGER PRIMARY KEY AUTOINCREMENT, notification TEXT NOT NULL, target TEXT NOT NULL, recipient TEXT NOT NULL,
  attempts INTEGER NOT NULL, since INTEGER NOT NULL, UNIQUE (notification, target, recipient)
) STRICT;
`;

/** `7f3a90c1-12`: number 12 of that store. */
const sequenceOf = (id: string): { store: string; number: number } => {
  const at = id.lastIndexOf('-');
  return { store: id.slice(0, at), number: Number(id.slice(at + 1)) };
};

/** Where a notification goes by a target: each address of a mail by itself. */
export const placesOf = ({ how }: NotifyTarget): string[] => {
  switch (how.by) {
    case 'email':
      return how.to;
    case 'webhook':
      // What stands behind the host may be a secret.
      return [how.url.includes('://') ? new URL(how.url).origin : `the address in ${how.url}`];
    case 'command':
      return [how.argv[0] ?? ''];
  }
};

/** @throws Error of SQLite where the file cannot be used */
export const openDeliveries = (directory: string): Deliveries => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(directory, 'deliveries.db'));
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  database.exec(tables);
  const insert = database.prepare(
    'INSERT OR IGNORE INTO delivery (notification, target, recipient, attempts, since) VALUES (?, ?, ?, 0, ?)',
  );
  const inTurn = database.prepare('SELECT place FROM delivery WHERE target = ? ORDER BY attempts, place');
  const whole = database.prepare(
    `SELECT place, notification, content, target, recipient, attempts, since
      FROM delivery JOIN notification ON id = notification WHERE place = ?`,
  );
  const all = (work: () => void): void => {
    database.exec('BEGIN IMMEDIATE');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    has({ store, number }) {
      const row = database.prepare('SELECT number FROM taken WHERE store = ?').get(store);
      return row !== undefined && Number(row['number']) >= number;
    },
    take(notification, targets, now) {
      const { store, number } = sequenceOf(notification.id);
      all(() => {
        database.prepare('INSERT OR REPLACE INTO taken VALUES (?, ?)').run(store, number);
        if (targets.length === 0) return;
        database
          .prepare('INSERT OR IGNORE INTO notification VALUES (?, ?)')
          .run(notification.id, JSON.stringify(notification));
        for (const target of targets)
          for (const place of placesOf(target)) insert.run(notification.id, target.name, place, now);
      });
    },
    next(target, isDue) {
      const due = inTurn.all(target).find(({ place }) => isDue(Number(place)));
      const row = due === undefined ? undefined : whole.get(Number(due['place']));
      if (row === undefined) return null;
      return {
        place: Number(row['place']),
        notification: schema.parse(JSON.parse(String(row['content']))),
        target,
        to: String(row['recipient']),
        attempts: Number(row['attempts']),
        since: micros(Number(row['since'])),
      };
    },
    tried: ({ place }) =>
      void database.prepare('UPDATE delivery SET attempts = attempts + 1 WHERE place = ?').run(place),
    done: ({ place, notification }) =>
      all(() => {
        database.prepare('DELETE FROM delivery WHERE place = ?').run(place);
        database
          .prepare('DELETE FROM notification WHERE id = ? AND id NOT IN (SELECT notification FROM delivery)')
          .run(notification.id);
      }),
    waiting: () =>
      database
        .prepare('SELECT DISTINCT target FROM delivery')
        .all()
        .map(({ target }) => String(target)),
    close: () => database.close(),
  };
};
