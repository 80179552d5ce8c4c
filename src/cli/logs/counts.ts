import { counts as countsSchema, type Counts } from '#wire/counts';
import { answer as answerSchema } from '#wire/search';
import { printable } from '#base/printable';
import type { Context } from '../command.ts';
import { Exit } from '../exit.ts';
import type { Io } from '../io.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';
import { printAnswer, printJson, type AnswerForm } from './answer-line.ts';
import { histogramLines } from './histogram.ts';

/** Rows that fit on a screen. */
const mostBars = 30;

export type Asked = {
  query: string;
  by: readonly string[];
  /** Groups to show. */
  top: number;
  histogram: 'drawn' | 'none';
  form: AnswerForm;
  vaults: 'own' | 'all';
};

/** How many lines match: alone, or in groups and over time. */
export const printCounts = async (
  { io, state, json }: Context,
  { query, by, top, histogram, form, vaults }: Asked,
): Promise<Exit> => {
  const body = { query, by: [...by], top, bars: histogram === 'drawn' ? mostBars : 0, vaults };
  let counted: Counts['counts'] | null = null;
  for await (const line of callSearch(state, 'POST', '/counts', body)) {
    const found = countsSchema.safeParse(line);
    if (json) printJson(io, line);
    else if (found.success) counted = found.data.counts;
    else {
      const answered = answerSchema.parse(line);
      const { count } = answered.answer;
      if (counted?.histogram !== null && counted?.histogram !== undefined)
        io.out(histogramLines(io, counted.histogram));
      if (by.length > 0 && count > 0 && counted !== null)
        io.out(`${histogram === 'drawn' ? '\n' : ''}${groupLines(io, counted, count)}`);
      if (by.length === 0 && histogram === 'none') io.out(`${count}\n`);
      printAnswer(io, answered, form);
    }
  }
  return Exit.done;
};

const groupLines = (io: Io, { by, groups, others }: Counts['counts'], total: number): string => {
  const rows = groups.map(({ values, count }) => [
    String(count),
    share(count, total),
    ...values.map((value) => value ?? '-'),
  ]);
  const width = Math.max('LINES'.length, ...rows.map(([count = '']) => count.length));
  const shares = Math.max('SHARE'.length, ...rows.map(([, one = '']) => one.length));
  const listed = table(
    io,
    ['LINES'.padStart(width), 'SHARE'.padStart(shares), ...by.map((name) => printable(name.toUpperCase()))],
    rows.map(([count = '', one = '', ...values]) => [count.padStart(width), one.padStart(shares), ...values]),
  );
  return others.groups === 0
    ? listed
    : `${listed}${String(others.count).padStart(width)}  ${share(others.count, total).padStart(shares)}  in ${others.groups} more (--limit shows more)\n`;
};

const share = (count: number, total: number): string => {
  const percent = (100 * count) / Math.max(1, total);
  return percent > 0 && percent < 0.1 ? '<0.1%' : `${percent.toFixed(1)}%`;
};
