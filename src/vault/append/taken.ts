import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { openDurable, type Fate } from '#vault/durable';
import type { FilePosition } from '#vault/intake';
import { VaultError } from '../errors.ts';

/** What was taken to its end goes from intake. */
export type Taken = {
  /**
   * Only what a published checkpoint covers. A file is forgotten when its absence is durable, and not before.
   * @param upTo the position of that checkpoint
   */
  remove(upTo: ReadonlyMap<string, FilePosition>): Promise<void>;
  /**
   * What the lock record names as taken and what is gone by now was removed before the last end.
   * @throws VaultError `absent`
   */
  forgetMissing(): Promise<void>;
};

/** @param position of the sequencer; files that are gone are taken out of it */
export const openTaken = ({
  intake,
  position,
  log,
  fate,
  step,
}: {
  intake: string;
  position: Map<string, FilePosition>;
  log: OwnLog;
  fate: Fate;
  step?: (what: string) => void;
}): Taken => {
  const durable = openDurable({ scratch: intake, fate, ...(step ? { step } : {}) });
  return {
    async remove(upTo) {
      const done = [...upTo].filter(([, state]) => state === 'done').map(([name]) => name);
      const damaged = [...upTo].filter(([, state]) => state === 'damaged').map(([name]) => name);
      if (done.length > 0) await durable.remove(done.map((name) => join(intake, name)));
      if (damaged.length > 0) await durable.makeDirectory(join(intake, 'damaged'));
      for (const name of damaged) {
        if ((await stat(join(intake, name)).catch(() => null)) === null) continue;
        await durable.move(join(intake, name), join(intake, 'damaged', name));
        log('error', `${name} is damaged: set aside in ${join(intake, 'damaged')}`);
      }
      for (const name of [...done, ...damaged]) position.delete(name);
    },
    async forgetMissing() {
      const directory = await open(intake).catch((error: unknown) => {
        throw new VaultError(
          'absent',
          `cannot read ${intake}: ${messageOf(error)}. It is made by "holdfast up"`,
          { cause: error },
        );
      });
      try {
        const names = new Set(await readdir(intake));
        // A removal that was not synced may come back with the next loss of power.
        await directory.sync();
        for (const name of position.keys()) if (!names.has(name)) position.delete(name);
      } finally {
        await directory.close();
      }
    },
  };
};
