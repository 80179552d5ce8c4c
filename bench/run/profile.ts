import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The parts of V8's CPU profile that are read here. */
type CpuProfile = {
  /** µs, CLOCK_MONOTONIC */
  startTime: number;
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  /** µs since the sample before */
  timeDeltas: number[];
};

const root = join(import.meta.dirname, '..', '..');

/**
 * For each CPU profile in the directories of `dir` whose names begin with `stage`, one for each process: the functions
 * in which the thread was found most often, idle time and everything before `from` (µs, CLOCK_MONOTONIC) left out.
 */
export const hottest = (dir: string, stage: string, from: number): string =>
  readdirSync(dir)
    .filter((name) => name.startsWith(`${stage}.`))
    .toSorted()
    .flatMap((name) =>
      readdirSync(join(dir, name))
        .toSorted()
        .map((file) => {
          const profile: CpuProfile = JSON.parse(readFileSync(join(dir, name, file), 'utf8'));
          // CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile; thread 0 is the main one
          return `${name}, thread ${file.split('.')[4] ?? '?'}\n${selfTimes(profile, from)}`;
        }),
    )
    .join('\n');

const selfTimes = ({ nodes, samples, timeDeltas, startTime }: CpuProfile, from: number): string => {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, number>();
  let busy = 0;
  let at = startTime;
  for (const [i, id] of samples.entries()) {
    const time = timeDeltas[i] ?? 0;
    at += time;
    const frame = frames.get(id);
    if (
      at < from ||
      frame === undefined ||
      frame.functionName === '(idle)' ||
      frame.functionName === '(program)'
    )
      continue;
    busy += time;
    const where = frame.url === '' ? 'native' : `${place(frame.url)}:${frame.lineNumber + 1}`;
    const name = `${frame.functionName || '(anonymous)'}  ${where}`;
    times.set(name, (times.get(name) ?? 0) + time);
  }
  const hot = [...times].toSorted(([, a], [, b]) => b - a).slice(0, 15);
  return hot.map(([name, time]) => `  ${((time / busy) * 100).toFixed(1).padStart(5)} %  ${name}\n`).join('');
};

const place = (url: string): string => (url.startsWith('file://') ? relative(root, url.slice(7)) : url);
