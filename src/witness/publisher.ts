import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import { verifyConsistency } from '#vault/tree';
import { maxNote, parseNote, type Vkey } from '#vault/checkpoint';
import { WitnessError } from './errors.ts';
import { ask, excerpt, type Place, type Reply } from './http.ts';
import { logSignatures } from './known-logs.ts';
import { maxProof, parseHead, parseProof, type Submission, type TreeHead } from './submission.ts';

/** A checkpoint that a publisher shows, signed by its log. */
export type Shown = Pick<Submission, 'head' | 'note' | 'bytes'>;

/** What a witness asks of a publisher, and brings to it (docs/formats/witness.md). */
export type Publisher = {
  shown: string;
  /** `GET /checkpoint`, the newest. Its signature is verified. */
  checkpoint(): Promise<Shown>;
  /**
   * `GET /candidate`, the one that all witnesses are asked to cosign; may be older than the newest. A publisher that has
   * none shows its newest. Its signature is verified.
   */
  candidate(): Promise<Shown>;
  /** `GET /proof/consistency?from=&to=`. Not verified. */
  consistency(from: number, to: number): Promise<Buffer[]>;
  /** Whether the newest checkpoint is proven to continue this one. */
  contains(head: Pick<TreeHead, 'size' | 'root'>): Promise<boolean>;
  /** `POST /cosignature`: the note, with the log's signature and the cosignature. */
  giveCosignature(note: Buffer): Promise<void>;
  /** `POST /contradiction`: a note signed by the log, which what the publisher shows does not continue. */
  giveContradiction(note: Buffer): Promise<void>;
};

/** All of it @throws WitnessError `away`, `bad-answer`. @param signal gives up what is asked */
export const openPublisher = (
  place: Place,
  origin: string,
  logKeys: readonly Vkey[],
  signal?: AbortSignal,
): Publisher => {
  const bounds = signal === undefined ? {} : { signal };
  const fetch = (path: string, maxReply: number): Promise<Reply> =>
    ask({ place, method: 'GET', path, maxReply, ...bounds });
  const whole = (path: string, reply: Reply): Buffer => {
    if (reply.status !== 200) throw bad(place, `GET ${path}: ${reply.status} ${excerpt(reply)}`);
    return reply.body;
  };
  const post = async (path: string, body: Buffer): Promise<void> => {
    const reply = await ask({ place, method: 'POST', path, body, maxReply: 4096, ...bounds });
    if (reply.status < 200 || reply.status > 299)
      throw bad(place, `POST ${path}: ${reply.status} ${excerpt(reply)}`);
  };
  const opened = (bytes: Buffer): Shown =>
    formed(place, () => {
      const note = parseNote(bytes);
      const head = parseHead(note.text);
      if (head.origin !== origin) throw new Error(`it is of ${printable(head.origin)}, not of ${origin}`);
      if (logSignatures(note, logKeys).length === 0)
        throw new Error(`it has no valid signature of ${origin}`);
      return { head, note, bytes };
    });
  const checkpoint = async (): Promise<Shown> =>
    opened(whole('/checkpoint', await fetch('/checkpoint', maxNote)));
  const consistency = async (from: number, to: number): Promise<Buffer[]> => {
    const path = `/proof/consistency?from=${from}&to=${to}`;
    const body = whole(path, await fetch(path, maxProof * 45));
    return formed(place, () => parseProof(body));
  };
  return {
    shown: place.shown,
    checkpoint,
    async candidate() {
      const reply = await fetch('/candidate', maxNote);
      return reply.status === 404 ? checkpoint() : opened(whole('/candidate', reply));
    },
    consistency,
    async contains({ size, root }) {
      const { head } = await checkpoint();
      if (size > head.size) return false;
      const path = size === 0 || size === head.size ? [] : await consistency(size, head.size);
      return verifyConsistency({ size1: size, root1: root, size2: head.size, root2: head.root, path });
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
