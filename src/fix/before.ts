import { messageOf } from '#base/errors';
import { changedAlternatives, type Alternative } from './alternatives.ts';
import { changedAtBoot, type UnitState } from './unit-states.ts';

/** What is neither in a file that a fix writes nor seen at a door: how it was, to be compared after an undo. */
export type Before = {
  /** Units that the commands of a fix, or of its undo, may enable, disable or mask. */
  units: UnitState[];
  /** Of packages that are removed. */
  alternatives: Alternative[];
};

/** What is not as it was, or cannot be told: a sentence each. */
export const notAsBefore = async ({ units, alternatives }: Before): Promise<string[]> => [
  ...(await changedAtBoot(units)),
  ...(await changedAlternatives(alternatives).catch((error: unknown) => [messageOf(error)])),
];
