import { alignedRows } from '../run/table.ts';
import type { ServicesResult } from '../services.ts';

/** For people: how long each took, and Holdfast's times as ratios. */
export const renderServices = ({ processes, sockets, runs, rows, ratios }: ServicesResult): string =>
  [
    `${sockets.toLocaleString('en-US')} sockets in ${processes} processes; ${runs === 1 ? 'one run' : `medians of ${runs} runs`}\n`,
    alignedRows([['', 'ms'], ...rows.map(({ what, milliseconds }) => [what, milliseconds.toFixed(0)])]),
    '',
    ...Object.entries(ratios).map(([what, ratio]) => `${what}: ${ratio.toFixed(2)} × the time`),
  ].join('\n');
