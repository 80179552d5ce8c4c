import type { LayoutResult, LayoutRow } from '../layout.ts';
import { alignedRows } from '../run/table.ts';

/** For people, in 80 columns. */
export const renderLayout = (result: LayoutResult): string => {
  const { lines, runs, indexing, rows } = result;
  const ofAll = rows.filter(({ columns }) => columns === 'all');
  const ofTexts = rows.filter(({ columns }) => columns === 'text');
  return [
    `${lines.toLocaleString('en-US')} lines; every question ${runs === 1 ? 'once' : `${runs} times`} for each of its needles`,
    `the index that they are from: ${perMillion(indexing.cpuSeconds, lines)} CPU s/M lines, peak ${mb(indexing.peakBytes)} MB`,
    ...(ofAll.length === 0
      ? []
      : ['\nwith all columns:', sizes(ofAll, lines), '', times(ofAll), columns(ofAll)]),
    ...(ofTexts.length === 0
      ? []
      : [
          '\nwith the columns alone that questions of texts need:',
          sizes(ofTexts, lines),
          '',
          times(ofTexts),
        ]),
    ...(result.codecs.length === 0 ? [] : ['\neach column alone:', codecs(result)]),
  ].join('\n');
};

const perMillion = (seconds: number, lines: number): string => ((seconds / lines) * 1e6).toFixed(2);
const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);

const sizes = (rows: readonly LayoutRow[], lines: number): string =>
  alignedRows([
    ['', 'MB', 'token index', 'insert', 'merge, CPU s/M lines'],
    ...rows.map(({ name, bytes, tokenIndexBytes, insertCpuSeconds, mergeCpuSeconds }) => [
      name,
      mb(bytes),
      mb(tokenIndexBytes),
      perMillion(insertCpuSeconds, lines),
      perMillion(mergeCpuSeconds, lines),
    ]),
  ]);

const shortNames: Readonly<Record<string, string>> = {
  'count by app over a day': 'count',
  'last 100 of matching lines': 'last 100',
};

const times = (rows: readonly LayoutRow[]): string => {
  const questions = Object.keys(rows[0]?.times ?? {});
  if (questions.length === 0) return 'nothing was asked';
  return alignedRows([
    ['p50 in ms, the engine alone', ...questions.map((name) => shortNames[name] ?? name)],
    ...rows.map(({ name, times: of }) => [
      name,
      ...questions.map((question) => of[question]?.p50.toFixed(1) ?? ''),
    ]),
  ]);
};

const most = 10;

const columns = (rows: readonly LayoutRow[]): string => {
  const names = Object.keys(rows[0]?.columnBytes ?? {}).slice(0, most);
  return `\n${alignedRows([
    ['MB by column', ...rows.map(({ name }) => name)],
    ...names.map((column) => [column, ...rows.map(({ columnBytes }) => mb(columnBytes[column] ?? 0))]),
  ])}`;
};

const codecs = ({ lines, codecs: tried }: LayoutResult): string =>
  alignedRows([
    ['', 'MB', 'write', 'read, CPU s/M lines', ''],
    ...tried.map(({ column, codec, isKept, bytes, writeCpuSeconds, readCpuSeconds }) => [
      `${column} ${codec}`,
      mb(bytes),
      perMillion(writeCpuSeconds, lines),
      perMillion(readCpuSeconds, lines),
      isKept ? 'as it is' : '',
    ]),
  ]);
