import type { Progress } from '#vault/verify';

type Options = {
  /** Writes to stderr. */
  write: (text: string) => void;
  /** Milliseconds that only go forward. */
  elapsed: () => number;
  /** A terminal: a bar that is drawn again in its line. Elsewhere a plain line now and then. */
  terminal: boolean;
  columns: number;
};

/** Draws how far a verification is, and wipes it away at the end. */
export type ProgressBar = { update(progress: Progress): void; end(): void };

const drawEveryMs = 100;
const sayEveryMs = 10_000;
/** An estimate made of less would only jump about. */
const estimateAfterMs = 2000;

export const newProgressBar = ({ write, elapsed, terminal, columns }: Options): ProgressBar => {
  const started = elapsed();
  let last = terminal ? -Infinity : started;
  let isDrawn = false;
  return {
    update(progress) {
      const now = elapsed();
      if (now - last < (terminal ? drawEveryMs : sayEveryMs)) return;
      last = now;
      const text = describe(progress, now - started);
      if (!terminal) {
        write(`verify: ${text}\n`);
        return;
      }
      const width = Math.max(0, Math.min(30, columns - text.length - 4));
      const filled = Math.round(shareOf(progress) * width);
      const bar = width < 5 ? '' : `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] `;
      write(`\r\x1b[K${`${bar}${text}`.slice(0, Math.max(1, columns - 1))}`);
      isDrawn = true;
    },
    end() {
      if (isDrawn) write('\r\x1b[K');
      isDrawn = false;
    },
  };
};

/** By bytes, which is what takes the time; by entries where there are none. */
const shareOf = ({ bytes, entries }: Progress): number => {
  const { done, total } = bytes.total > 0 ? bytes : entries;
  return total === 0 ? 1 : Math.min(1, done / total);
};

const describe = (progress: Progress, ms: number): string => {
  const share = shareOf(progress);
  const rate = ms > 0 ? Math.round((progress.lines.done * 1000) / ms) : 0;
  const left = ms < estimateAfterMs || share === 0 ? '' : `, ${duration((ms / share) * (1 - share))} left`;
  return `${Math.floor(share * 100)} %, ${progress.lines.done} of ${progress.lines.total} lines, ${rate} lines/s${left}`;
};

const duration = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
};
