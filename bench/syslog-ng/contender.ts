import { createReadStream, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Corpus } from '../corpus/corpus.ts';
import { tally, type Count } from '../corpus/tally.ts';
import { connectSender } from '../load/sending.ts';
import type { Figures } from '../run/figures.ts';
import { startProcess } from '../run/process.ts';
import { bytesBelow, cpuSeconds, peakBytes } from '../run/usage.ts';
import { waitUntil } from '../run/wait.ts';
import { syslogNgConfig, type Tuning } from './config.ts';
import type { SyslogNg } from './package.ts';

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
  const config = join(dir, 'syslog-ng.conf');
  const port = await freePort();
  writeFileSync(config, syslogNgConfig(port, out, tuning));
  const child = startProcess({
    name: 'syslog-ng',
    // It does not notice when the bench is gone: the kernel ends it then.
    file: 'setpriv',
    args: [
      '--pdeathsig', 'KILL', syslog.program, '--foreground', '--no-caps', ...syslog.args, '--cfgfile', config,
      '--persist-file', join(dir, 'persist'), '--control', join(dir, 'control'), '--pidfile', join(dir, 'pid'),
    ], // prettier-ignore
    env: syslog.env,
    output: 'none',
  });
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
    count: await countFiles(out, corpus),
  };
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

const countFiles = async (out: string, corpus: Corpus): Promise<Count> => {
  const ticked = tally(corpus.lines, corpus.sum);
  for (const entry of readdirSync(out, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of createReadStream(join(entry.parentPath, entry.name), {
      highWaterMark: 1 << 20,
    })) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      rest = bytes.subarray(bytes.length - ticked.lines(bytes));
    }
    if (rest.length > 0) ticked.line(rest);
  }
  return ticked.count();
};
