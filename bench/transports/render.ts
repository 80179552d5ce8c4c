import { cpus } from 'node:os';
import { renderTable } from '../run/table.ts';
import type { TransportsResult } from '../transports.ts';

const titles = { tls: 'syslog over TLS, newline framing', relp: 'RELP' } as const;

/** For people: a table for each transport, with the ratios to rsyslog. */
export const renderTransports = (result: TransportsResult): string => {
  const { corpus } = result;
  return [
    `${corpus.lines.toLocaleString('en-US')} RFC 5424 lines, ${(corpus.bytes / 1e6).toFixed(1)} MB, four connections; ` +
      `${cpus().length} cores; rsyslog ${result.rsyslogVersion}; ` +
      (result.fsyncDelayMs === 0 ? '' : `every fsync of Holdfast +${result.fsyncDelayMs} ms; `) +
      (result.runs === 1 ? 'one run' : `medians of ${result.runs} runs`),
    ...result.of.flatMap((one) => [
      `\n${titles[one.transport]}${one.transport === 'relp' ? `, ${result.window} lines unanswered at most on each connection` : ''}; ` +
        `ratios to ${one.reference} (the sender alone: ${Math.round(one.senderLinesPerSecond).toLocaleString('en-US')} lines/s):`,
      renderTable(one.rows, one.reference),
    ]),
    "\nrsyslog's lines are in one file, which it does not fsync: it acknowledges what it has in memory. Holdfast's are fsynced,",
    'and over RELP acknowledged only then.',
    `\ncounts: exact for every row of every run: ${corpus.lines} of ${corpus.lines} lines, none lost, none twice, none changed`,
  ].join('\n');
};
