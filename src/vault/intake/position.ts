/**
 * How far intake has been read: for every file that was begun, the offset after the last delivery that was taken, or
 * what is to become of it. As lines of the lock record:
 *
 *     created <time>              written once, by the making of the vault; carries nothing
 *     reading <name> <offset>     begun, and read up to here
 *     done <name>                 taken to its end; to be removed
 *     damaged <name>              taken as far as it could be; to be set aside in intake/damaged/
 *
 * A file that is not named has not been begun.
 */
export type IntakePosition = ReadonlyMap<string, FilePosition>;

export type FilePosition = number | 'done' | 'damaged';

const namePattern = /^\d{12}-[0-9a-f]{8}\.intake$/;

/** `<12 digits>-<8 hex>.intake`: the order of writing is the order of the names. */
export const isIntakeName = (name: string): boolean => namePattern.test(name);

export const formatPosition = (position: IntakePosition): string =>
  [...position]
    .map(([name, at]) => (typeof at === 'number' ? `reading ${name} ${at}\n` : `${at} ${name}\n`))
    .join('');

/** @throws Error for a line that this version does not know: guessing here would lose lines or store them twice */
export const parsePosition = (text: string): Map<string, FilePosition> => {
  const position = new Map<string, FilePosition>();
  for (const line of text.split('\n').filter((other) => other !== '')) {
    const [word = '', name = '', offset = ''] = line.split(' ');
    if (word === 'created') continue;
    const at =
      word === 'reading' && /^\d{1,15}$/.test(offset)
        ? Number(offset)
        : word === 'done' || word === 'damaged'
          ? word
          : null;
    if (at === null || !isIntakeName(name))
      throw new Error(`intake position in the lock record: "${line}" is unknown`);
    position.set(name, at);
  }
  return position;
};
