import { maxNote, openCosignature, type Vkey, type WitnessVkey } from '#vault/checkpoint';
import { parseDecimal } from '#vault/tree';
import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import { sizeType } from './answer.ts';
import { WitnessError } from './errors.ts';
import { ask, excerpt, type Ask, type Place, type Reply } from './http.ts';
import { logSignatures } from './known-logs.ts';
import { originHash } from './layout.ts';
import { formatSubmission, parseHead, type TreeHead } from './submission.ts';
import { parseNote } from '#vault/checkpoint';

export type Push = {
  /** The witness's submission prefix. */
  place: Place;
  /** The witness's key: what does not verify with it is not believed. */
  vkey: WitnessVkey;
  /** The log's checkpoint, with the log's own signatures. */
  note: Buffer;
  size: number;
  /** The size that the witness cosigned last, as far as is known; 0 for a start. */
  known?: number;
  /** The consistency proof from `old`, which is neither 0 nor `size`. */
  proofFor(old: number): Promise<readonly Buffer[]>;
  /** Milliseconds for each request. */
  patience?: number;
  /** Gives up what is asked. */
  signal?: AbortSignal;
};

/**
 * - `cosigned`: `line` is a valid cosignature of this note
 * - `ahead`: the witness remembers a larger tree than this one. Ask it for the note (`askRemembered`): it convicts a
 *   log that was put back to an older state
 * - `forked`: the witness remembers another root at this size, or a history that this one does not continue
 * - `refused`: 403, 404, 503, …; somebody must look
 */
export type Pushed =
  | { result: 'cosigned'; line: string; cosigned: Buffer; time: number }
  | { result: 'ahead'; size: number }
  | { result: 'forked'; why: string }
  | { result: 'refused'; why: string };

/** More answers of "begin elsewhere" than other clients of the same log could cause. */
const maxTries = 4;

/** Bytes of an answer: signature lines of several keys, or a sentence. */
const maxReply = 16 * 1024;

/**
 * Brings a checkpoint to a witness (tlog-witness): tries from the size that it is believed to have, and where it says
 * another one, from that.
 * @throws WitnessError `away`, `bad-answer`; what `proofFor` throws
 */
export const pushCheckpoint = async (push: Push): Promise<Pushed> => {
  const { place, size, note, proofFor } = push;
  let old = Math.min(push.known ?? 0, size);
  for (let tries = 0; tries < maxTries; tries++) {
    const proof = old === 0 || old === size ? [] : await proofFor(old);
    const reply = await ask({
      place,
      method: 'POST',
      path: '/add-checkpoint',
      body: formatSubmission(old, proof, note),
      maxReply,
      ...boundsOf(push),
    });
    if (reply.status === 200) return cosignatureIn(push, reply);
    const said = `${place.shown} answers ${reply.status}: ${excerpt(reply)}`;
    if (reply.status === 422) return { result: 'forked', why: said };
    if (reply.status !== 409) return { result: 'refused', why: said };
    if (!reply.type.startsWith(sizeType)) return { result: 'forked', why: said };
    const remembered = parseDecimal(reply.body.toString('latin1').replace(/\n$/, ''));
    if (remembered === null) throw new WitnessError('bad-answer', said);
    if (remembered > size) return { result: 'ahead', size: remembered };
    if (remembered === old) return { result: 'forked', why: said };
    old = remembered;
  }
  throw new WitnessError('bad-answer', `${place.shown} named another size each time, ${maxTries} times`);
};

type Bounds = Pick<Ask, 'patience' | 'signal'>;

const boundsOf = ({ patience, signal }: Bounds): Bounds => ({
  ...(patience === undefined ? {} : { patience }),
  ...(signal === undefined ? {} : { signal }),
});

const cosignatureIn = ({ note, vkey, place }: Push, { body }: Reply): Pushed => {
  const lines = body.toString().match(/^— [^\n]*\n/gmu) ?? [];
  let why = 'it has no signature lines';
  for (const line of lines) {
    // Lines by keys that are not known are left alone, also those that are not well-formed.
    if (!line.startsWith(`— ${vkey.name} `)) continue;
    const cosigned = Buffer.concat([note, Buffer.from(line)]);
    try {
      return { result: 'cosigned', line, cosigned, time: openCosignature(cosigned, vkey) };
    } catch (error) {
      why = messageOf(error);
    }
  }
  throw new WitnessError('bad-answer', `${place.shown} answers 200, but not with its cosignature: ${why}`);
};

/** A note that a witness remembers, and what it says. */
export type RememberedNote = { note: Buffer; head: TreeHead };

export type AskRemembered = Bounds & {
  place: Place;
  origin: string;
  /** All keys that the log is known to have or have had. */
  logKeys: readonly Vkey[];
  /** The witness's key: what it has cosigned is believed under whatever log key. */
  vkey?: WitnessVkey;
};

/**
 * What a witness remembers of a log: the monitoring side of tlog-witness. Believed with the log's own signature; or with
 * the cosignature of that witness, for a log that was put back to before a rotation does not know its newer key.
 * @returns `null` where the witness never cosigned for it
 * @throws WitnessError `away`, `bad-answer`
 */
export const askRemembered = async (asked: AskRemembered): Promise<RememberedNote | null> => {
  const { place, origin, logKeys, vkey } = asked;
  const reply = await ask({
    place,
    method: 'GET',
    path: `/${originHash(origin)}/checkpoint`,
    maxReply: maxNote,
    ...boundsOf(asked),
  });
  if (reply.status === 404) return null;
  try {
    if (reply.status !== 200) throw new Error(`status ${reply.status}`);
    const note = parseNote(reply.body);
    const head = parseHead(note.text);
    if (head.origin !== origin) throw new Error(`a note of ${printable(head.origin)}`);
    if (logSignatures(note, logKeys).length === 0) {
      if (vkey === undefined) throw new Error('not signed by the log');
      openCosignature(reply.body, vkey);
    }
    return { note: reply.body, head };
  } catch (error) {
    throw new WitnessError(
      'bad-answer',
      `${place.shown} does not show a note of ${origin}: ${messageOf(error)}`,
      { cause: error },
    );
  }
};
