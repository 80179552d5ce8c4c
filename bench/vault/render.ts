import { cpus } from 'node:os';
import { alignedRows } from '../run/table.ts';
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
  return [
    `${lines.toLocaleString('en-US')} lines in ${batches} batches, ${segmentsMB.toFixed(1)} MB of segments; ` +
      `${cpus().length} cores; ${runs === 1 ? 'one run' : `medians of ${runs} runs`}\n`,
    alignedRows(cells),
    `\ncounts: exact in every run: ${lines} of ${lines} lines and ${batches} manifests, all under the signed checkpoint`,
  ].join('\n');
};
