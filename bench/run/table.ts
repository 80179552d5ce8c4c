import type { Corpus } from '../corpus/corpus.ts';
import { median, type Figures } from './figures.ts';

/** The medians of one contender's runs. Ratios are taken run by run, each against the reference of the same run. */
export type Row = {
  contender: string;
  reached: string;
  linesPerSecond: number;
  wallSeconds: number;
  cpuSecondsPerMillion: number;
  cpuSecondsPerMillionAtRest: number;
  peakMB: number;
  diskMB: number;
  /** By what is stored. */
  diskMBOf: Record<string, number>;
  /** By the reference's name; null for a reference against itself. */
  ratios: Record<string, { linesPerSecond: number; wall: number; cpu: number; peak: number; disk: number }>;
  processes: Record<string, { cpuSecondsPerMillion: number; peakMB: number }>;
};

/** @param runs each the figures of all contenders, in the same order @param references names of contenders */
export const rows = (
  runs: readonly (readonly Figures[])[],
  references: readonly string[],
  corpus: Corpus,
): Row[] => {
  const millions = corpus.lines / 1e6;
  return (runs[0] ?? []).map((first, i) => {
    const own = runs.flatMap((run) => run[i] ?? []);
    const of = (value: (figures: Figures) => number): number => median(own.map(value));
    const against = (reference: string, value: (figures: Figures) => number): number =>
      median(
        runs.flatMap((run) => {
          const other = run.find(({ contender }) => contender === reference);
          const mine = run[i];
          return other === undefined || mine === undefined ? [] : [value(mine) / value(other)];
        }),
      );
    return {
      contender: first.contender,
      reached: first.reached,
      linesPerSecond: of((f) => corpus.lines / f.wallSeconds),
      wallSeconds: of((f) => f.wallSeconds),
      cpuSecondsPerMillion: of((f) => f.cpuSeconds / millions),
      cpuSecondsPerMillionAtRest: of((f) => f.cpuSecondsAtRest / millions),
      peakMB: of((f) => f.peakBytes / 1e6),
      diskMB: of((f) => f.diskBytes / 1e6),
      diskMBOf: Object.fromEntries(
        Object.keys(first.disk).map((part) => [part, of((f) => (f.disk[part] ?? Number.NaN) / 1e6)]),
      ),
      ratios: Object.fromEntries(
        references.map((reference) => [
          reference,
          {
            linesPerSecond: against(reference, (f) => 1 / f.wallSeconds),
            wall: against(reference, (f) => f.wallSeconds),
            cpu: against(reference, (f) => f.cpuSeconds),
            peak: against(reference, (f) => f.peakBytes),
            disk: against(reference, (f) => f.diskBytes),
          },
        ]),
      ),
      processes: Object.fromEntries(
        Object.keys(first.processes).map((name) => [
          name,
          {
            cpuSecondsPerMillion: of((f) => (f.processes[name]?.cpuSeconds ?? Number.NaN) / millions),
            peakMB: of((f) => (f.processes[name]?.peakBytes ?? Number.NaN) / 1e6),
          },
        ]),
      ),
    };
  });
};

const columns = (reference: string): readonly [string, (row: Row) => string][] => [
  ['', (row) => row.contender],
  ['lines/s', (row) => grouped(row.linesPerSecond)],
  ['wall s', (row) => row.wallSeconds.toFixed(2)],
  ['CPU s/M lines', (row) => row.cpuSecondsPerMillion.toFixed(2)],
  ['at rest', (row) => row.cpuSecondsPerMillionAtRest.toFixed(2)],
  ['peak MB', (row) => row.peakMB.toFixed(0)],
  ['disk MB', (row) => row.diskMB.toFixed(1)],
  ['× lines/s', (row) => ratio(row.ratios[reference]?.linesPerSecond)],
  ['× CPU', (row) => ratio(row.ratios[reference]?.cpu)],
  ['× memory', (row) => ratio(row.ratios[reference]?.peak)],
  ['× disk', (row) => ratio(row.ratios[reference]?.disk)],
];

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
const ratio = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(2));

/** A table for people: figures, and ratios to `reference`. */
export const renderTable = (all: readonly Row[], reference: string): string => {
  const shown = columns(reference);
  const cells = [shown.map(([title]) => title), ...all.map((row) => shown.map(([, text]) => text(row)))];
  return alignedRows(cells);
};

/** Columns side by side: the first one to the left, the others to the right. */
export const alignedRows = (cells: readonly (readonly string[])[]): string => {
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
