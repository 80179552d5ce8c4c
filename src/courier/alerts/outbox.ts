import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { notification, notificationFile, type Notification } from '#wire/alert';

/** Looks at what the indexer has laid out to be delivered. */
export type Outbox = {
  /**
   * Notifications in their order that are not known yet; none where nothing can have come since this was asked last.
   * @throws system errors
   */
  read(isKnown: (store: string, number: number) => boolean): Notification[];
};

const settledNs = 2_000_000_000n;

/** @param now ns since the epoch */
export const openOutbox = (directory: string, now: () => bigint, log: OwnLog): Outbox => {
  let seen: bigint | null = null;
  const unreadable = new Set<string>();
  return {
    read(isKnown) {
      const changed = mtimeOf(directory);
      if (changed === null || changed === seen) return [];
      const found: Notification[] = [];
      for (const name of readdirSync(directory).toSorted()) {
        const [, number, store] = notificationFile.pattern.exec(name) ?? [];
        if (store === undefined || isKnown(store, Number(number)) || unreadable.has(name)) continue;
        try {
          found.push(notification.parse(JSON.parse(readFileSync(join(directory, name), 'utf8'))));
        } catch (error) {
          if (systemCode(error) === 'ENOENT') continue;
          unreadable.add(name);
          log('error', `${join(directory, name)} is not delivered: ${messageOf(error)}`);
        }
      }
      // Two changes may have the same time, if they are near enough.
      seen = now() - changed > settledNs ? changed : null;
      return found;
    },
  };
};

const mtimeOf = (directory: string): bigint | null => {
  try {
    return statSync(directory, { bigint: true }).mtimeNs;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
};
