import { readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { connectOwn, selfLine, type Deliverer } from '#ship';
import { forecastOf, thinned, toSay, type DiskSample, type Forecast, type Said } from './disk-forecast.ts';
import { replaceFile } from './run-file.ts';

const lookEveryMs = 5 * 60_000;

/** `run/disk-space.json`: what was seen of each file system, by the first part of the state directory that lies on it. */
const seenFile = z.record(
  z.string(),
  z.array(z.strictObject({ at: z.number(), free: z.number() })).max(2000),
);

type Parts = 'vault' | 'intake' | 'index';
const parts: readonly Parts[] = ['vault', 'intake', 'index'];

/**
 * Looks at the free space of the state directory's file systems every five minutes, remembers two weeks of it in
 * `run/`, and says days ahead when one of them will be full: in the supervisor's own log and as a line
 *
 *     {"kind":"disk-forecast","path":…,"days":2.4,"free":<bytes>,"perDay":<bytes>,"overHours":<hours of the past>}
 */
export const keepDiskForecast = (
  state: StateDirectory,
  clock: Clock,
  log: OwnLog,
): { stop(): Promise<void> } => {
  const file = join(state.run, 'disk-space.json');
  const seen = readSeen(file);
  const said = new Map<string, Said>();
  let deliverer: Promise<Deliverer> | null = null;
  let failing = false;

  const send = async (line: Record<string, unknown>): Promise<void> => {
    deliverer ??= connectOwn({
      socket: state.ownSocket,
      sender: 'up',
      stream: 'up',
      spool: join(state.run, 'up-spool'),
      clock,
      log,
      limit: 1024 * 1024,
    });
    const { meta, raw } = selfLine(clock, 'disk-forecast', line);
    await (await deliverer).send(meta, raw);
  };

  const look = async (): Promise<void> => {
    const now = clock.now() / 1000;
    const free = freeByPart(state);
    for (const [part, bytes] of free)
      seen.set(part, thinned([...(seen.get(part) ?? []), { at: now, free: bytes }], now));
    // Before anything is said: saying it may have to wait for the receiver.
    replaceFile(file, JSON.stringify(Object.fromEntries(seen)), 0o644, null);
    for (const [part, bytes] of free) {
      const forecast = forecastOf(seen.get(part) ?? [], now);
      const { say, said: after } = toSay(forecast, said.get(part) ?? null, now);
      said.set(part, after);
      if (say === 'no' || forecast.result !== 'fills') continue;
      log('warning', inWords(state[part], forecast, bytes));
      const { days, perDay, over } = forecast;
      await send({
        path: state[part],
        days: Number(days.toFixed(1)),
        free: bytes,
        perDay: Math.round(perDay),
        overHours: over,
      });
    }
  };

  const lookAgain = (): void => {
    look().then(
      () => (failing = false),
      (error: unknown) => {
        // Also where there is no space for these few bytes: the receiver says so already.
        if (!failing) log('warning', `the forecast of free space failed: ${messageOf(error)}`);
        failing = true;
      },
    );
  };
  lookAgain();
  const timer = setInterval(lookAgain, lookEveryMs);
  return {
    async stop() {
      clearInterval(timer);
      await (await deliverer?.catch(() => null))?.close(500);
    },
  };
};

/** One part for each file system, with the bytes that an unprivileged process may still take there. */
const freeByPart = (state: StateDirectory): Map<Parts, number> => {
  const found = new Map<Parts, number>();
  const devices = new Set<number>();
  for (const part of parts) {
    const { dev } = statSync(state[part]);
    if (devices.has(dev)) continue;
    devices.add(dev);
    const { bavail, bsize } = statfsSync(state[part]);
    found.set(part, bavail * bsize);
  }
  return found;
};

const inWords = (path: string, { days, perDay }: Forecast & { result: 'fills' }, free: number): string =>
  `the file system of ${path} is full in ${days < 1 ? `${Math.max(1, Math.round(days * 24))} hours` : `${days.toFixed(1)} days`} ` +
  `at this rate: ${gigabytes(free)} are free, ${gigabytes(perDay)} go each day. Free space there before, see docs/disk-space.md`;

const gigabytes = (bytes: number): string =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

/** Whatever cannot be read is begun anew: it is but a memory. */
const readSeen = (file: string): Map<string, DiskSample[]> => {
  try {
    return new Map(Object.entries(seenFile.parse(JSON.parse(readFileSync(file, 'utf8')))));
  } catch {
    return new Map();
  }
};
