import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addedSince, filesIn, isSameKind, type Mutation, type Subject } from './mutation.ts';

const bytesOf = ({ root }: Subject, path: string): Buffer => readFileSync(join(root, path));

/** Each bit of every file. */
export const everyFlip = (subject: Subject): Mutation[] =>
  filesIn(subject.root).flatMap((path) =>
    Array.from({ length: bytesOf(subject, path).length * 8 }, (_, i): Mutation => ({
      kind: 'flip',
      path,
      byte: i >>> 3,
      bit: i & 7,
    })),
  );

/** Every file cut to every length that is shorter. */
export const everyCut = (subject: Subject): Mutation[] =>
  filesIn(subject.root).flatMap((path) =>
    Array.from({ length: bytesOf(subject, path).length }, (_, length): Mutation => ({
      kind: 'cut',
      path,
      length,
    })),
  );

/** What is done to whole files. Swapping or replaying the same bytes changes nothing, and is left out. */
export const everyMove = (subject: Subject): Mutation[] => {
  const { root, states } = subject;
  const files = filesIn(root);
  const moves: Mutation[] = [];
  for (const [i, path] of files.entries()) {
    for (const by of ['zero', 'line', 'itself', 'empty frame'] as const)
      moves.push({ kind: 'extend', path, by });
    for (const by of ['nothing', 'link', 'directory', 'dangling link'] as const)
      moves.push({ kind: 'replace', path, by });
    moves.push({ kind: 'remove', path });
    if (path.startsWith('vault/segment/')) moves.push({ kind: 'recompress', path });
    for (const other of files.slice(i + 1)) {
      if (!isSameKind(path, other) || bytesOf(subject, path).equals(bytesOf(subject, other))) continue;
      moves.push({ kind: 'swap', path, other });
    }
  }
  for (const [state, directory] of states.slice(0, -1).entries()) {
    for (const path of filesIn(directory)) {
      if (!files.includes(path)) continue;
      if (!bytesOf(subject, path).equals(readFileSync(join(directory, path))))
        moves.push({ kind: 'replay', path, state });
    }
    moves.push({ kind: 'roll back', state });
    const added = addedSince(subject, state);
    for (const [what, directoryOf] of [
      ['all', 'vault/'],
      ['segments', 'vault/segment/'],
      ['tiles', 'vault/tile/'],
      ['history', 'vault/history/'],
    ] as const)
      if (added.some((path) => path.startsWith(directoryOf))) moves.push({ kind: 'drop', state, what });
  }
  return moves;
};
