import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateDirectory, type StateDirectory } from '#base/state';
import { parserVersion, tables } from '#index';
import type { Corpus } from '../corpus/corpus.ts';
import { progress } from '../run/progress.ts';
import { compress, layOut } from './files.ts';
import { index, keep, type Indexing } from './fill.ts';

/** The same lines in all that is asked. */
export type Filled = { files: string; compressed: string; state: StateDirectory; indexing: Indexing };

/**
 * What an earlier run left in `home` is used again where it was made of the same lines, the index where it has the same
 * layout and parser too; the rest is made.
 * @throws BenchError `wrong-count`
 */
export const fill = async (home: string, corpus: Corpus): Promise<Filled> => {
  mkdirSync(home, { recursive: true });
  const files = join(home, 'files');
  const compressed = join(home, 'compressed');
  await made(home, 'files', identity(corpus), [files, compressed], () => {
    progress(`laying ${corpus.lines.toLocaleString('en-US')} lines out in files …`);
    layOut(corpus, files);
    compress(files, compressed);
  });
  return { files, compressed, ...(await fillIndex(home, corpus)) };
};

/** Vault and index alone. @throws BenchError `wrong-count` */
export const fillIndex = async (
  home: string,
  corpus: Corpus,
): Promise<Pick<Filled, 'state' | 'indexing'>> => {
  mkdirSync(home, { recursive: true });
  const state = stateDirectory(join(home, 'state'));
  await made(home, 'vault', identity(corpus), [state.root], () => {
    progress('growing the vault …');
    return keep(state, corpus);
  });
  const indexing = await made(home, 'index', indexIdentity(corpus), [state.index], () => {
    progress('indexing …');
    return index(state, corpus);
  });
  return { state, indexing };
};

const identity = ({ lines, sum }: Corpus): string => `${lines} lines, sum ${sum}`;

/** Of which lines an index is made, and how. */
export const indexIdentity = (corpus: Corpus): string =>
  `${identity(corpus)}, parser ${parserVersion}, ${JSON.stringify(tables)}`;

/** Done once: `NAME.done` says of what, and with what result. */
export const made = async <T>(
  home: string,
  name: string,
  of: string,
  places: readonly string[],
  make: () => T | Promise<T>,
): Promise<T> => {
  const mark = join(home, `${name}.done`);
  const known = existsSync(mark)
    ? (JSON.parse(readFileSync(mark, 'utf8')) as { of: string; result: T })
    : null;
  if (known?.of === of) return known.result;
  rmSync(mark, { force: true });
  for (const place of places) rmSync(place, { recursive: true, force: true });
  const result = await make();
  writeFileSync(`${mark}.new`, JSON.stringify({ of, result }));
  renameSync(`${mark}.new`, mark);
  return result;
};
