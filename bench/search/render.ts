import { cpus } from 'node:os';
import { alignedRows } from '../run/table.ts';
import type { SearchBenchResult, SearchRow } from '../search.ts';
import type { Spread } from './spread.ts';

/** For people: milliseconds under each circumstance, ratios to the peers and to what is asked for. */
export const renderSearch = (result: SearchBenchResult): string => {
  const { lines, runs, rate, disk, indexing, rows } = result;
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    `${lines.toLocaleString('en-US')} lines; ${cpus().length} cores; every question ${runs === 1 ? 'once' : `${runs} times`} for each of its needles\n`,
    'milliseconds at the API, verdicts and the newest 100 lines included (p50 / p95):',
    alignedRows([
      ['', 'warm', 'cold', `${rate.toLocaleString('en-US')} lines/s coming in`, 'beside a heavy query'],
      ...rows.map(({ question, warm, cold, streaming, beside }) => [
        question,
        both(warm),
        cold.p50.toFixed(0),
        `${both(streaming)} (${times(streaming, warm)})`,
        `${both(beside)} (${times(beside, warm)})`,
      ]),
    ]),
    '\nshare of the time that the peers take on the same lines (p50):',
    alignedRows([
      ['', 'ripgrep ms', 'of ripgrep', 'cold', 'zgrep ms', 'of zgrep', 'asked for', ''],
      ...rows.map(compared),
    ]),
    `\ndisk: files ${mb(disk.files)}, compressed ${mb(disk.compressed)}; vault ${mb(disk.vault)} + index ${mb(disk.index)} = ${mb(disk.vault + disk.index)}`,
    `indexing: ${indexing.wallSeconds.toFixed(1)} s, ${((indexing.cpuSeconds / lines) * 1e6).toFixed(2)} CPU s/M lines until at rest, peak ${(indexing.peakBytes / 1e6).toFixed(0)} MB`,
    `counts: the same as those of ripgrep and zgrep for every question`,
  ].join('\n');
};

const both = ({ p50, p95 }: Spread): string => `${p50.toFixed(1)} / ${p95.toFixed(1)}`;
const times = (one: Spread, other: Spread): string => `${(one.p50 / other.p50).toFixed(1)}×`;

const compared = ({ question, bar, warm, cold, peers }: SearchRow): string[] => {
  const rg = peers['ripgrep'];
  const zgrep = peers['zgrep'];
  const share = (own: Spread, peer: Spread | null | undefined): string =>
    peer === null || peer === undefined ? '' : `${(own.p50 / peer.p50).toFixed(3)}×`;
  const shown = (peer: Spread | undefined): string => peer?.p50.toFixed(0) ?? '';
  const ofRipgrep = rg === undefined ? Number.NaN : warm.p50 / rg.warm.p50;
  const [asked, kept] =
    bar === null
      ? ['', '']
      : 'ms' in bar
        ? [`≤ ${bar.ms} ms`, warm.p50 <= bar.ms ? 'yes' : 'NO']
        : [`≤ ${bar.ofRipgrep}× ripgrep`, ofRipgrep <= bar.ofRipgrep ? 'yes' : 'NO'];
  return [
    question,
    shown(rg?.warm),
    share(warm, rg?.warm),
    share(cold, rg?.cold),
    shown(zgrep?.warm),
    share(warm, zgrep?.warm),
    asked,
    kept,
  ];
};
