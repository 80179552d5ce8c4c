import { createHash } from 'node:crypto';

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
 *     amendments <number> <SHA-256, hex>   the list vault/amendments after this commit; no such line while there is none
 *
 * A file that is not named has not been begun. `removing` and `answering` are duties that an entry leaves to the keeper
 * (`parseDuties`); for `amendments` see `splitListed`.
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
    if (word === 'created' || word === 'removing' || word === 'answering' || word === 'amendments') continue;
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

/**
 * The line for `vault/amendments`: how many it names, and its hash. That file is under no signature, and one that is
 * shorter hides a legal hold: so the signer remembers it.
 * @param list the bytes of the file, whatever they are; empty where there is none
 */
export const formatListed = (list: Buffer): string => {
  if (list.length === 0) return '';
  let lines = 0;
  for (let at = list.indexOf(0x0a); at >= 0; at = list.indexOf(0x0a, at + 1)) lines += 1;
  return `amendments ${lines} ${createHash('sha256').update(list).digest('hex')}\n`;
};

/** The lines of a lock record in two: those of `formatListed` (one or none, unless it is damaged), and all others. */
export const splitListed = (text: string): { listed: string; position: string } => {
  const isListed = (line: string): boolean => line.startsWith('amendments ');
  const lines = text.split(/(?<=\n)/);
  return {
    listed: lines.filter(isListed).join(''),
    position: lines.filter((line) => !isListed(line)).join(''),
  };
};
