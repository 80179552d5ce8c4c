import { cpus } from 'node:os';
import type { VerifyResult } from '../verify.ts';

/** For people: figures, and how many times as fast as each peer `vault verify` is. */
export const renderVerify = ({ lines, batches, runs, segmentsMB, rows, ratios }: VerifyResult): string => {
  const cells = [
    ['', 'lines/s', 'wall s', 'CPU s/M lines', 'peak MB', 'vault verify is'],
    ...rows.map(({ what, linesPerSecond, wallSeconds, cpuSecondsPerMillion, peakMB }) => [
      what,
      Math.round(linesPerSecond).toLocaleString('en-US'),
      wallSeconds.toFixed(2),
      cpuSecondsPerMillion.toFixed(2),
      peakMB?.toFixed(0) ?? '',
      ratios[what] === undefined ? '' : `${ratios[what].toFixed(2)} × as fast`,
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const table = cells.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return [
    `${lines.toLocaleString('en-US')} lines in ${batches} batches, ${segmentsMB.toFixed(1)} MB of segments; ` +
      `${cpus().length} cores; ${runs === 1 ? 'one run' : `medians of ${runs} runs`}\n`,
    ...table,
    `\ncounts: exact in every run: ${lines} of ${lines} lines and ${batches} manifests, all under the signed checkpoint`,
  ].join('\n');
};
