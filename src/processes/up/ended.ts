import type { Waiting } from '#vault/fsck';

/** Where what was acknowledged is now: looked up, for the keeper may have refused to take it. */
export const ended = (waiting: Waiting, flag: string): string => {
  switch (waiting.kind) {
    case 'unseen':
      return `Ended. Whether all that was acknowledged is in the vault, nobody can tell (${waiting.why}): see holdfast vault fsck${flag}\n`;
    case 'missing':
      return `Ended. There is no intake any more: see holdfast vault fsck${flag}\n`;
    case 'seen':
      return waiting.bytes === 0
        ? 'Ended. What was acknowledged is in the vault; the next start goes on from here.\n'
        : `Ended. ${waiting.bytes} bytes that were acknowledged are durable in intake and NOT in the vault yet: the keeper had not taken them. ` +
            `The next start does, if the keeper can go on: see holdfast vault fsck${flag}\n`;
  }
};
