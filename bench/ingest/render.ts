import { cpus } from 'node:os';
import { references, type IngestResult } from '../ingest.ts';
import { renderTable } from '../run/table.ts';

/** For people: a table of figures and ratios to each reference, and what each process took. */
export const renderIngest = (result: IngestResult): string => {
  const { corpus, rows } = result;
  return [
    `${corpus.lines.toLocaleString('en-US')} RFC 5424 lines, ${(corpus.bytes / 1e6).toFixed(1)} MB, four TCP connections, ` +
      `newline framing; ${cpus().length} cores; syslog-ng ${result.syslogNgVersion}; ` +
      (result.fsyncDelayMs === 0 ? '' : `every fsync of Holdfast +${result.fsyncDelayMs} ms; `) +
      (result.runs === 1 ? 'one run' : `medians of ${result.runs} runs`),
    ...references.flatMap((reference) => [`\nratios to ${reference}:`, renderTable(rows, reference)]),
    '\nwhat there is when the clock stops, and what each process took:',
    ...rows.map((row) => {
      const parts = Object.entries(row.processes).map(
        ([name, { cpuSecondsPerMillion, peakMB }]) =>
          `${name} ${cpuSecondsPerMillion.toFixed(2)} CPU s/M, ${peakMB.toFixed(0)} MB`,
      );
      const disk = Object.entries(row.diskMBOf).map(([part, mb]) => `${part} ${mb.toFixed(1)} MB`);
      return `  ${row.contender}: ${row.reached} (${parts.join('; ')}; ${disk.join(', ')})`;
    }),
    ...result.hottest.map((text) => `\n${text}`),
    `\ncounts: exact for every row of every run: ${corpus.lines} of ${corpus.lines} lines, none lost, none twice, none changed`,
  ].join('\n');
};
