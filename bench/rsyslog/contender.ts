import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from '../corpus/corpus.ts';
import { lookAtFiles } from '../corpus/files.ts';
import { tally } from '../corpus/tally.ts';
import { connectSender, type Transport } from '../load/sending.ts';
import type { Figures } from '../run/figures.ts';
import { accepts, freePort } from '../run/port.ts';
import { startProcess } from '../run/process.ts';
import { bytesBelow, cpuSeconds, peakBytes } from '../run/usage.ts';
import { waitUntil } from '../run/wait.ts';
import { rsyslogConfig, type RsyslogInput } from './config.ts';
import type { Rsyslog } from './package.ts';

/**
 * One run. The clock stops when its file holds as many bytes as were sent, without waiting for any fsync: it does none.
 * @param dir empty, for this run alone
 */
export const runRsyslog = async (
  rsyslog: Rsyslog,
  name: string,
  input: RsyslogInput,
  transport: Transport,
  corpus: Corpus,
  dir: string,
): Promise<Figures> => {
  const out = join(dir, 'files');
  mkdirSync(out);
  const config = join(dir, 'rsyslog.conf');
  const port = await freePort();
  writeFileSync(config, rsyslogConfig(rsyslog.modules, input, port, join(out, 'all.log')));
  const child = startProcess({
    name: 'rsyslog',
    // It does not notice when the bench is gone: the kernel ends it then.
    file: 'setpriv',
    args: ['--pdeathsig', 'KILL', rsyslog.program, '-n', '-f', config, '-i', join(dir, 'pid')],
    env: { ...rsyslog.env, RSYSLOG_MODDIR: rsyslog.modules },
    output: 'none',
  });
  await waitUntil('rsyslog to listen', 20, 10_000, () => accepts(port));
  const sender = await connectSender(corpus, port, transport);
  const cpuBefore = cpuSeconds(child.pid);
  const { started } = await sender.go();
  await waitUntil('rsyslog to write everything', 10, 120_000, () => bytesBelow(out) >= corpus.bytes);
  const ended = process.hrtime.bigint();
  const cpu = cpuSeconds(child.pid) - cpuBefore;
  const peak = peakBytes(child.pid);
  await sender.end();
  await child.stop(20_000, 'SIGTERM');
  const ticked = tally(corpus.lines, corpus.sum);
  await lookAtFiles(out, ticked);
  return {
    contender: name,
    reached: 'one file, not fsynced',
    wallSeconds: Number(ended - BigInt(started)) / 1e9,
    cpuSeconds: cpu,
    cpuSecondsAtRest: cpu,
    peakBytes: peak,
    disk: { files: bytesBelow(out) },
    diskBytes: bytesBelow(out),
    hottest: null,
    processes: { rsyslog: { cpuSeconds: cpu, peakBytes: peak } },
    count: ticked.count(),
  };
};
