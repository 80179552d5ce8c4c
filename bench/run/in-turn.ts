import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from '../corpus/corpus.ts';
import { BenchError } from '../errors.ts';
import { removeAtExit } from './clean-up.ts';
import type { Figures } from './figures.ts';
import { progress } from './progress.ts';
import { settleDisk } from './settle-disk.ts';

export type Contender = { name: string; run: (dir: string) => Promise<Figures> };

/**
 * Runs every contender `runs` times in turn, each on a directory of its own.
 * @param cache for the runs' directories
 * @throws BenchError `wrong-count` if any line was lost, repeated or changed
 */
export const runInTurn = async (
  contenders: readonly Contender[],
  corpus: Corpus,
  options: { runs: number; after: 'remove' | 'keep' },
  cache: string,
): Promise<Figures[][]> => {
  const home = join(cache, `run-${process.pid}`);
  mkdirSync(home);
  const cleanUp = options.after === 'keep' ? null : removeAtExit(home);
  const runs: Figures[][] = [];
  for (let n = 1; n <= options.runs; n += 1) {
    const run: Figures[] = [];
    for (const [i, contender] of contenders.entries()) {
      const dir = join(home, `${n}-${i}`);
      mkdirSync(dir);
      settleDisk(dir);
      const figures = await contender.run(dir);
      assertExact(figures, corpus);
      progress(
        `run ${n} of ${options.runs}: ${contender.name}: ${figures.wallSeconds.toFixed(2)} s; ` +
          `${figures.count.lines.toLocaleString('en-US')} lines counted, none lost, none twice, none changed`,
      );
      run.push(figures);
      if (options.after === 'remove') rmSync(dir, { recursive: true });
    }
    runs.push(run);
  }
  rmSync(home, { recursive: options.after === 'remove', force: true });
  cleanUp?.done();
  return runs;
};

const assertExact = ({ contender, count }: Figures, corpus: Corpus): void => {
  const { lines, lost, repeated, foreign, altered } = count;
  if (lines === corpus.lines && lost + repeated + foreign === 0 && altered === 'no') return;
  throw new BenchError(
    'wrong-count',
    `${contender}: of ${corpus.lines} lines ${lines} were found, ${lost} are lost, ${repeated} came ` +
      `more than once, ${foreign} are none of the corpus; bytes changed: ${altered}. No figures`,
  );
};
