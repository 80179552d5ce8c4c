/**
 * How far intake has been read: for every file that was begun, the offset after the last delivery that was taken, or
 * what is to become of it. As lines of the lock record:
 *
 *     created <time>              written once, by the making of the vault; carries nothing
 *     reading <name> <offset>     begun, and read up to here
 *     done <name>                 taken to its end; to be removed
 *     damaged <name>              taken as far as it could be; to be set aside in intake/damaged/
 *     removing <index>            what this expire or redact entry takes away is not known to be gone yet
 *     answering <id> <index>      this request became that entry; its sender may not have been told
 *
 * A file that is not named has not been begun. The last two are duties that an entry leaves to the keeper
 * (`parseDuties`).
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
    if (word === 'created' || word === 'removing' || word === 'answering') continue;
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

/** What committed entries have left to do, by the index of the entry. */
export type Duties = {
  /** Expire and redact entries whose files may still be there. */
  removing: Set<number>;
  /** Requests by their id (16 hexadecimal digits), and the entry that each became. */
  answering: Map<string, number>;
};

export const formatDuties = ({ removing, answering }: Duties): string =>
  [
    ...[...removing].map((index) => `removing ${index}\n`),
    ...[...answering].map(([id, index]) => `answering ${id} ${index}\n`),
  ].join('');

/** @param text of the whole position @throws Error for a duty that is none */
export const parseDuties = (text: string): Duties => {
  const duties: Duties = { removing: new Set(), answering: new Map() };
  for (const line of text.split('\n')) {
    const removing = /^removing (\d{1,15})$/.exec(line);
    const answering = /^answering ([0-9a-f]{16}) (\d{1,15})$/.exec(line);
    if (removing !== null) duties.removing.add(Number(removing[1]));
    else if (answering !== null) duties.answering.set(answering[1] ?? '', Number(answering[2]));
    else if (/^(?:removing|answering)\b/.test(line))
      throw new Error(`intake position in the lock record: "${line}" is unknown`);
  }
  return duties;
};
