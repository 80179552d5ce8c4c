import { messageOf } from '#base/errors';
import { VaultFormatError } from '#vault/tree';
import { originHash } from './layout.ts';
import { parseSubmission } from './submission.ts';
import type { Outcome, Witness } from './witness.ts';

export type Answer = { status: number; type: string; body: string | Buffer };

const text = 'text/plain; charset=utf-8';

/** Content type of a 409 whose body is the size that the proof must begin at (tlog-witness). */
export const sizeType = 'text/x.tlog.size';

/** `POST <prefix>/add-checkpoint`, C2SP tlog-witness. @throws WitnessError `not-stored` */
export const addCheckpoint = async (witness: Witness, body: Buffer): Promise<Answer> => {
  try {
    return answerTo(await witness.consider(parseSubmission(body)));
  } catch (error) {
    if (!(error instanceof VaultFormatError)) throw error;
    return refuse(400, `not an add-checkpoint request: ${messageOf(error)}`);
  }
};

const answerTo = (outcome: Outcome): Answer => {
  switch (outcome.outcome) {
    case 'cosigned':
      return { status: 200, type: text, body: outcome.line };
    case 'old-too-large':
      return refuse(400, 'the old size is larger than the checkpoint');
    case 'too-long':
      return refuse(400, 'the checkpoint leaves no room for a cosignature');
    case 'not-signed':
      return refuse(403, 'no valid signature by a key that is trusted for this origin');
    case 'unknown-log':
      return refuse(404, 'this witness does not know the origin');
    case 'stale':
      return { status: 409, type: sizeType, body: `${outcome.seen?.head.size ?? 0}\n` };
    case 'fork':
      // Without the type of a size: to begin at the same size once more would lead nowhere.
      return refuse(409, `another root was cosigned at size ${outcome.seen?.head.size ?? 0}`);
    case 'not-proven':
      return refuse(422, 'the proof does not lead from what was cosigned last to this checkpoint');
    case 'stopped':
      return refuse(503, `nothing more is cosigned for this log: ${outcome.why}`);
  }
};

/** `GET <prefix>/<origin hash>/checkpoint`: the last note that was cosigned, with the log's signature and this one's. */
export const rememberedNote = (witness: Witness, hash: string): Answer => {
  const origin = witness.origins.find((known) => originHash(known) === hash);
  const seen = origin === undefined ? null : witness.seen(origin);
  return seen === null
    ? refuse(404, 'nothing was cosigned for a log of this hash')
    : { status: 200, type: text, body: seen.note };
};

export const refuse = (status: number, message: string): Answer => ({
  status,
  type: text,
  body: `${message}\n`,
});
