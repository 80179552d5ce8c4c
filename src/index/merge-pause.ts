import type { Engine } from './engine/engine.ts';
import { lines } from './schema.ts';

/** While a backlog is taken in: after so many inserts parts are merged all the same, as merging many takes memory. */
const mostUnmerged = 32;

/** A single insert that was not full, between two that are, is no end of a backlog: merges would begin, and be given up. */
const lastPartials = 2;

/**
 * Merges read, sort and write again what was just inserted, and build the token index. While a backlog is taken in they
 * are put off, so that its lines can be found sooner.
 *
 * Deletions and the building of the token index wait as long as merges are put off. So they go on before anything is
 * deleted, and nothing is put off while the index is being built.
 */
export type MergePause = {
  /** After an insert. @param size `full`: more is waiting, as far as the insert tells */
  inserted(size: 'full' | 'partial'): Promise<void>;
  /** Merges go on. @throws IndexError */
  end(): Promise<void>;
};

export const openMergePause = (engine: Pick<Engine, 'letMerge'>, isBuilding: () => boolean): MergePause => {
  let unmerged = 0;
  let partials = 0;
  let paused = false;

  const goOn = async (): Promise<void> => {
    if (!paused) return;
    await engine.letMerge(lines, 'go on');
    paused = false;
  };

  const end = (): Promise<void> => {
    unmerged = 0;
    partials = 0;
    return goOn();
  };

  return {
    async inserted(size) {
      unmerged += 1;
      partials = size === 'full' ? 0 : partials + 1;
      if (partials >= lastPartials) return end();
      if (unmerged >= mostUnmerged || isBuilding()) return goOn();
      if (paused || size === 'partial') return;
      await engine.letMerge(lines, 'wait');
      paused = true;
    },
    end,
  };
};
