import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lookAtFiles } from '../corpus/files.ts';
import { freeUdpPort } from '../run/port.ts';
import { waitUntil } from '../run/wait.ts';
import { syslogNgConfig, udpSource, type Tuning } from '../syslog-ng/config.ts';
import type { SyslogNg } from '../syslog-ng/package.ts';
import { startSyslogNg } from '../syslog-ng/start.ts';
import { ticking } from './ticks.ts';
import { trialOf, underLoad, type Pace, type Range, type Trial } from './trial.ts';

/** @param dir empty, for this trial alone */
export const trySyslogNg = async (
  syslog: SyslogNg,
  tuning: Tuning,
  range: Range,
  pace: Pace,
  dir: string,
): Promise<Trial> => {
  const out = join(dir, 'files');
  mkdirSync(out);
  const port = await freeUdpPort();
  const source = udpSource(port, range.receiveBuffer, tuning);
  const child = startSyslogNg(syslog, syslogNgConfig(source, out, tuning), dir);
  await waitUntil('syslog-ng to listen', 20, 10_000, () => hasUdpSocket(port));
  const load = await underLoad(range, pace, port, child.pid, out);
  await child.stop(20_000, 'SIGTERM');
  const ticked = ticking(range.checks, load.lines);
  await lookAtFiles(out, ticked);
  return trialOf(pace.rate, load, ticked.ticks(), null);
};

/** Whether some UDP socket of 127.0.0.1 has this port: /proc/net/udp, proc_net(5). */
const hasUdpSocket = (port: number): boolean =>
  readFileSync('/proc/net/udp', 'latin1').includes(
    ` 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `,
  );
