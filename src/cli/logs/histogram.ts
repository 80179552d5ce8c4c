import type { Counts } from '#wire/counts';
import type { Io } from '../io.ts';

type Histogram = NonNullable<Counts['counts']['histogram']>;

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const day = 86_400;

/** One row a bar, its length the number of lines, the part that is errors in front and red; as wide as the terminal. */
export const histogramLines = (io: Io, { step, bars }: Histogram): string => {
  const labels = bars.map(({ from }) =>
    from.slice(0, step >= day ? 10 : step >= 60 ? 16 : 19).replace('T', ' '),
  );
  const head = `FROM (UTC), ${stepName(step)} EACH`;
  const widest = Math.max(head.length, ...labels.map(({ length }) => length));
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const counts = Math.max('LINES'.length, ...bars.map(({ count }) => String(count).length));
  const errors = Math.max('ERRORS'.length, ...bars.map((bar) => String(bar.errors).length));
  const room = Math.max(10, io.width - widest - counts - errors - 7);
  const rows = bars.map((bar, at) => {
    const all = barOf(bar.count, most, room);
    const red = Math.ceil((bar.errors / Math.max(1, bar.count)) * all.length);
    const drawn = `${io.paint('red', all.slice(0, red))}${io.paint('cyan', all.slice(red))}`;
    const left = `${(labels[at] ?? '').padEnd(widest)}  ${String(bar.count).padStart(counts)}  ${(bar.errors === 0 ? '-' : String(bar.errors)).padStart(errors)}`;
    return `${all === '' ? left : `${left}  ${drawn}`}\n`;
  });
  const title = `${head.padEnd(widest)}  ${'LINES'.padStart(counts)}  ${'ERRORS'.padStart(errors)}`;
  return `${io.paint('bold', title)}\n${rows.join('')}`;
};

/** Nothing for none, and never nothing for some. */
const barOf = (count: number, most: number, room: number): string => {
  if (count === 0) return '';
  const length = Math.max(1, Math.round((count / most) * room * 8));
  return '█'.repeat(Math.floor(length / 8)) + (eighths[length % 8] ?? '');
};

const stepName = (seconds: number): string => {
  const units: [number, string][] = [
    [day, 'DAY'],
    [3600, 'HOUR'],
    [60, 'MINUTE'],
    [1, 'SECOND'],
  ];
  const [unit, name] = units.find(([one]) => seconds % one === 0) ?? [1, 'SECOND'];
  const count = seconds / unit;
  return `${count} ${name}${count === 1 ? '' : 'S'}`;
};
