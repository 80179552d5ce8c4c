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
  const state = stateDirectory(join(home, 'state'));
  const of = `${corpus.lines} lines, sum ${corpus.sum}`;
  const lines = corpus.lines.toLocaleString('en-US');

  await made(home, 'files', of, [files, compressed], () => {
    progress(`laying ${lines} lines out in files …`);
    layOut(corpus, files);
    compress(files, compressed);
  });
  await made(home, 'vault', of, [state.root], () => {
    progress('growing the vault …');
    return keep(state, corpus);
  });
  const indexing = await made(
    home,
    'index',
    `${of}, parser ${parserVersion}, ${JSON.stringify(tables)}`,
    [state.index],
    () => {
      progress('indexing …');
      return index(state, corpus);
    },
  );
  return { files, compressed, state, indexing };
};

/** Done once: `NAME.done` says of what, and with what result. */
const made = async <T>(
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
