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
  /** What never says anything, and what may be read another time. */
  const senseless = new Set<string>();
  const refused = new Set<string>();
  return {
    read(isKnown) {
      const changed = mtimeOf(directory);
      if (changed === null || changed === seen) return [];
      const found: Notification[] = [];
      let again = false;
      for (const name of readdirSync(directory).toSorted()) {
        const [, number, store] = notificationFile.pattern.exec(name) ?? [];
        if (store === undefined || isKnown(store, Number(number)) || senseless.has(name)) continue;
        const file = join(directory, name);
        let text: string;
        try {
          text = readFileSync(file, 'utf8');
        } catch (error) {
          if (systemCode(error) === 'ENOENT') continue;
          again = true;
          if (!refused.has(name)) log('error', `${file} cannot be read, and waits: ${messageOf(error)}`);
          refused.add(name);
          continue;
        }
        refused.delete(name);
        try {
          found.push(notification.parse(JSON.parse(text)));
        } catch (error) {
          senseless.add(name);
          log('error', `${file} is not delivered: ${messageOf(error)}`);
        }
      }
      // Two changes may have the same time, if they are near enough.
      seen = !again && now() - changed > settledNs ? changed : null;
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
