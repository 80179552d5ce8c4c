import { cpus } from 'node:os';
import type { UdpResult } from '../udp.ts';
import { alignedRows } from '../run/table.ts';
import type { HighestRate } from './highest-rate.ts';
import { lost, type Trial } from './trial.ts';

/** For people: ratios first, then what Holdfast did at the highest rates, and the exactness of its counter. */
export const renderUdp = (result: UdpResult): string => {
  const MiB = Math.round(result.receiveBuffer / 1024 / 1024);
  return [
    `RFC 5424 lines as datagrams, ${result.seconds} s at each rate, SO_RCVBUF of ${MiB} MiB for all; ` +
      `${cpus().length} cores; syslog-ng ${result.syslogNgVersion}`,
    ...result.of.flatMap((one) => [
      `\n${one.senders === 1 ? 'one sender' : `${one.senders} senders`}:`,
      rates(one),
      ...one.atTheirs.map((trial) => `Holdfast at the highest of theirs: ${account(trial)}`),
      ...one.beyond.map((trial) => `Holdfast under all they can send: ${account(trial)}`),
    ]),
  ].join('\n');
};

const rates = ({ syslogNg, holdfast }: UdpResult['of'][number]): string => {
  const row = (name: string, highest: HighestRate): string[] => {
    const costs = highest.trials.filter((trial) => trial.rate <= highest.rate);
    return [
      name,
      grouped(highest.rate) + (highest.endedBy === 'senders' ? ' (all the senders could)' : ''),
      (highest.rate / syslogNg.plain.rate).toFixed(2),
      (highest.rate / syslogNg.tuned.rate).toFixed(2),
      costs.at(-1)?.cpuMicrosPerDatagram.toFixed(1) ?? '',
      Math.max(...highest.trials.map(({ peakMB }) => peakMB)).toFixed(0),
    ];
  };
  return alignedRows([
    ['', 'no loss up to, /s', '× syslog-ng', '× tuned', 'CPU µs each', 'peak MB'],
    row('syslog-ng', syslogNg.plain),
    row('syslog-ng, tuned', syslogNg.tuned),
    row('Holdfast, durable', holdfast),
  ]);
};

const account = (trial: Trial): string => {
  const causes = Object.entries(trial.counted ?? {});
  const counted = causes.reduce((sum, [, count]) => sum + count, 0);
  return (
    `sent ${trial.sent} at ${grouped(trial.reachedRate)}/s = stored ${trial.stored} + counted ${counted}` +
    (counted === lost(trial) ? '' : ` + UNACCOUNTED ${lost(trial) - counted}`) +
    (causes.length === 0 ? '' : ` (${causes.map(([cause, count]) => `${cause} ${count}`).join(', ')})`)
  );
};

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
