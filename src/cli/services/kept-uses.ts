import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CouldNotLook } from '#base/looked';
import { messageOf, systemCode } from '#base/errors';
import type { StateDirectory } from '#base/state';
import type { UseBook } from '#inspect';

/** What the supervisor of this state directory has noted of the doors' users. */
export const keptUses = async (
  state: StateDirectory,
): Promise<{ book: UseBook | null; couldNotLook: CouldNotLook[] }> => {
  const { parseBook } = await import('#inspect');
  const file = join(state.run, 'uses.json');
  try {
    return { book: parseBook(readFileSync(file, 'utf8')), couldNotLook: [] };
  } catch (error) {
    const isAbsent = systemCode(error) === 'ENOENT';
    return {
      book: null,
      couldNotLook: [
        {
          what: 'who has used the doors before now',
          why: isAbsent ? `nobody has watched: there is no ${file}` : messageOf(error),
          remedy: isAbsent ? 'let holdfast up or holdfast agent run as root' : 'run as root',
        },
      ],
    };
  }
};
