import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import { formatMicros } from '#base/rfc3339';
import { openDurable } from '#vault/durable';
import { PkiError } from '../errors.ts';
import { event, type BookEvent, type NewEvent } from './event.ts';
import { emptyRegister, enter, type Register } from './register.ts';

/** All that the authority ever did, in an append-only file of its own. What it comes to is in memory. */
export type Book = {
  readonly register: Register;
  /** In their order. */
  readonly events: readonly BookEvent[];
  /**
   * Durable when it returns, and only then in the register: a certificate is handed out after that.
   * @throws system errors: whether it is in the book is not known; open it again
   */
  append(entry: NewEvent): Promise<BookEvent>;
};

const fileName = 'book.jsonl';

/**
 * Opens the book for its one writer. A last line that was cut short by a crash is written over: nobody was told of it.
 * @throws PkiError `unusable-file`
 */
export const openBook = (directory: string, clock: Clock): Book => {
  const path = join(directory, fileName);
  const durable = openDurable({ scratch: directory });
  const { events, length } = parseBook(path, readOrEmpty(path));
  let size = length;
  const register = emptyRegister();
  for (const one of events) enter(register, one);
  return {
    register,
    events,
    async append(entry) {
      const made = event.parse({ n: events.length + 1, time: formatMicros(clock.now()), ...entry });
      const bytes = Buffer.from(`${JSON.stringify(made)}\n`);
      await durable.extend(path, size, bytes);
      size += bytes.length;
      events.push(made);
      enter(register, made);
      return made;
    },
  };
};

/**
 * What the book says, for whoever may read it.
 * @returns `null` where there is none
 * @throws PkiError `unusable-file`, `not-allowed`
 */
export const readRegister = (directory: string): Register | null => {
  const path = join(directory, fileName);
  const bytes = read(path);
  if (bytes === null) return null;
  const register = emptyRegister();
  for (const one of parseBook(path, bytes).events) enter(register, one);
  return register;
};

const readOrEmpty = (path: string): Buffer => read(path) ?? Buffer.alloc(0);

const read = (path: string): Buffer | null => {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return null;
    throw new PkiError(
      code === 'EACCES' ? 'not-allowed' : 'unusable-file',
      code === 'EACCES'
        ? `${path} is closed to you: only root, and the user who runs Holdfast, may read it`
        : `cannot read ${path}: ${messageOf(error)}`,
      { cause: error },
    );
  }
};

const parseBook = (path: string, bytes: Buffer): { events: BookEvent[]; length: number } => {
  const length = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.toString('utf8', 0, length).split('\n').slice(0, -1);
  const events = lines.map((line, i) => {
    try {
      const parsed = event.parse(JSON.parse(line));
      if (parsed.n === i + 1) return parsed;
    } catch {
      // Said below: what the line holds is of no help there.
    }
    throw new PkiError(
      'unusable-file',
      `line ${i + 1} of ${path} is damaged. Restore the file: it says who holds a certificate, and which are revoked`,
    );
  });
  return { events, length };
};
