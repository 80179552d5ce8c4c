import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from '../corpus/corpus.ts';
import { lookAtFiles } from '../corpus/files.ts';
import { tally } from '../corpus/tally.ts';
import { connectSender } from '../load/sending.ts';
import type { Figures } from '../run/figures.ts';
import { accepts, freePort } from '../run/port.ts';
import { bytesBelow, cpuSeconds, peakBytes } from '../run/usage.ts';
import { waitUntil } from '../run/wait.ts';
import { syslogNgConfig, tcpSource, type Tuning } from './config.ts';
import type { SyslogNg } from './package.ts';
import { startSyslogNg } from './start.ts';

/**
 * One run. The clock stops when its files hold as many bytes as were sent, without waiting for any fsync: it does none.
 * @param dir empty, for this run alone
 */
export const runSyslogNg = async (
  syslog: SyslogNg,
  tuning: Tuning,
  corpus: Corpus,
  dir: string,
): Promise<Figures> => {
  const out = join(dir, 'files');
  mkdirSync(out);
  const port = await freePort();
  const child = startSyslogNg(syslog, syslogNgConfig(tcpSource(port, tuning), out, tuning), dir);
  await waitUntil('syslog-ng to listen', 20, 10_000, () => accepts(port));
  const sender = await connectSender(corpus, port);
  const cpuBefore = cpuSeconds(child.pid);
  const { started } = await sender.go();
  await waitUntil('syslog-ng to write everything', 10, 60_000, () => bytesBelow(out) >= corpus.bytes);
  const ended = process.hrtime.bigint();
  const cpu = cpuSeconds(child.pid) - cpuBefore;
  const peak = peakBytes(child.pid);
  await sender.end();
  await child.stop(20_000, 'SIGTERM');
  const ticked = tally(corpus.lines, corpus.sum);
  await lookAtFiles(out, ticked);
  return {
    contender: tuning === 'tuned' ? 'syslog-ng, tuned' : 'syslog-ng',
    reached: 'files per host and program',
    wallSeconds: Number(ended - BigInt(started)) / 1e9,
    cpuSeconds: cpu,
    cpuSecondsAtRest: cpu,
    peakBytes: peak,
    disk: { files: bytesBelow(out) },
    diskBytes: bytesBelow(out),
    hottest: null,
    processes: { 'syslog-ng': { cpuSeconds: cpu, peakBytes: peak } },
    count: ticked.count(),
  };
};
