import { VaultError, type Publication, type Published } from '#vault/tiles';
import { bytesOf, textOf, words, type Answer } from './answer.ts';
import type { Candidate } from './candidate.ts';
import type { Asked } from './request.ts';

/** What may be fetched. */
export type Fetched = Exclude<Asked, { what: 'cosignature' } | { what: 'contradiction' }>;

export type Resources = {
  published: Published;
  candidate: Candidate;
  /** Text of the vault's public key. */
  vkey(): string;
};

/** The answer to a GET. Only what the published checkpoint covers is ever in one. @throws VaultError `corrupt` */
export const fetchResource = ({ published, candidate, vkey }: Resources, asked: Fetched): Answer => {
  if (asked.what === 'vkey') return textOf(Buffer.from(`${vkey()}\n`));
  const publication = published.now();
  if (publication === null) return words(503, 'no checkpoint is published here yet', 5);
  switch (asked.what) {
    case 'checkpoint':
      return textOf(publication.checkpoint.note);
    case 'candidate':
      return textOf(candidate.now(publication));
    case 'witnessed': {
      const witnessed = publication.witnessed();
      return witnessed === null
        ? words(404, 'no checkpoint has been cosigned by enough witnesses yet')
        : textOf(witnessed.note);
    }
    case 'amendments':
      return textOf(
        Buffer.from(
          publication
            .amendments()
            .map((index) => `${index}\n`)
            .join(''),
        ),
      );
    case 'tile': {
      const bytes = publication.tile(asked.tile);
      return bytes === null
        ? words(404, 'the published checkpoint covers no such tile')
        : bytesOf(bytes, 'immutable');
    }
    case 'history': {
      const history = publication.history(asked.index);
      return history === null
        ? words(404, 'no checkpoint of such a size is published')
        : bytesOf(history.bytes, history.complete ? 'immutable' : 'changes');
    }
    case 'consistency':
      return proof(publication, asked.to, () => {
        if (asked.from > asked.to) return words(400, '"from" is larger than "to"');
        return hashes(publication.tiles().consistencyPath(asked.from, asked.to));
      });
    case 'inclusion':
      return proof(publication, asked.size, () => {
        if (asked.entry >= asked.size) return words(400, '"entry" is not below "size"');
        return hashes(publication.tiles().inclusionPath(asked.entry, asked.size));
      });
  }
};

const proof = ({ checkpoint }: Publication, size: number, make: () => Answer): Answer =>
  size > checkpoint.size ? words(404, `the published checkpoint covers ${checkpoint.size} entries`) : make();

/** One base64 hash a line, as in tlog-witness and tlog-proof. */
const hashes = (path: readonly Buffer[]): Answer =>
  textOf(Buffer.from(path.map((hash) => `${hash.toString('base64')}\n`).join('')));

/** What is wrong on our side, for whoever asked: no path, no detail; those are in this process's own log. */
export const damaged = (error: unknown): Answer | null =>
  error instanceof VaultError
    ? words(500, 'what was asked for cannot be served: it is damaged. Its operator is told', 60)
    : null;
