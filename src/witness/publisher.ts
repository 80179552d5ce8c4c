import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import { maxNote, parseNote, type Vkey } from '#vault/checkpoint';
import { WitnessError } from './errors.ts';
import { ask, type Place } from './http.ts';
import { logSignatures } from './known-logs.ts';
import { maxProof, parseHead, parseProof, type Submission } from './submission.ts';

/** A checkpoint that a publisher shows, signed by its log. */
export type Shown = Pick<Submission, 'head' | 'note' | 'bytes'>;

/** What a witness asks of a publisher, and brings to it (docs/formats/witness.md). */
export type Publisher = {
  shown: string;
  /** `GET /checkpoint`. Its signature is verified. */
  checkpoint(): Promise<Shown>;
  /** `GET /proof/consistency?from=&to=`. Not verified. */
  consistency(from: number, to: number): Promise<Buffer[]>;
  /** `POST /cosignature`: the note, with the log's signature and the cosignature. */
  giveCosignature(note: Buffer): Promise<void>;
  /** `POST /contradiction`: a note signed by the log, which what the publisher shows does not continue. */
  giveContradiction(note: Buffer): Promise<void>;
};

/** All of it @throws WitnessError `away`, `bad-answer` */
export const openPublisher = (
  place: Place,
  origin: string,
  logKeys: readonly Vkey[],
  patience = 10_000,
): Publisher => {
  const get = async (path: string, maxReply: number): Promise<Buffer> => {
    const { status, body } = await ask({ place, method: 'GET', path, maxReply, patience });
    if (status !== 200) throw bad(place, `GET ${path}: ${status} ${printable(body.subarray(0, 200)).trim()}`);
    return body;
  };
  const post = async (path: string, body: Buffer): Promise<void> => {
    const reply = await ask({ place, method: 'POST', path, body, maxReply: 4096, patience });
    if (reply.status < 200 || reply.status > 299)
      throw bad(place, `POST ${path}: ${reply.status} ${printable(reply.body.subarray(0, 200)).trim()}`);
  };
  return {
    shown: place.shown,
    async checkpoint() {
      const bytes = await get('/checkpoint', maxNote);
      return formed(place, () => {
        const note = parseNote(bytes);
        const head = parseHead(note.text);
        if (head.origin !== origin) throw new Error(`it is of ${printable(head.origin)}, not of ${origin}`);
        if (logSignatures(note, logKeys).length === 0)
          throw new Error(`it has no valid signature of ${origin}`);
        return { head, note, bytes };
      });
    },
    async consistency(from, to) {
      const body = await get(`/proof/consistency?from=${from}&to=${to}`, maxProof * 45);
      return formed(place, () => parseProof(body));
    },
    giveCosignature: (note) => post('/cosignature', note),
    giveContradiction: (note) => post('/contradiction', note),
  };
};

const bad = (place: Place, what: string, cause?: unknown): WitnessError =>
  new WitnessError('bad-answer', `${place.shown}: ${what}`, { cause });

const formed = <T>(place: Place, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    throw bad(place, `what it shows is not usable: ${messageOf(error)}`, error);
  }
};
