import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf } from '#base/errors';
import { CliError, Exit, jsonLine, table, type Context, type Flags, type Io } from '#cli';
import { ArrivalError, countArrivals, type Counted } from '#probe/arrival';
import { parseToken, ProbeError } from '#probe/host';
import { numberOf, probeOptions } from './options.ts';
import { recorded } from './record.ts';

const packets = z.int().min(0);

/** What the listening side prints with `--json`: that it counts, and at its end what it counted. */
export const listenerWord = z.union([
  z.strictObject({ counting: z.literal(true) }),
  z.strictObject({
    arrivals: z.array(
      z.strictObject({ port: z.int(), reached: packets, passed: packets, forwarded: packets }),
    ) satisfies z.ZodType<Counted[]>,
  }),
]);

/**
 * `services probe --listen-for TOKEN`, on the host that is probed: counts what comes in until its standard input ends, it
 * is interrupted, or its time is over.
 * @throws CliError `usage`, `could-not-look`
 */
export const runListening = async (context: Context, given: string, flags: Flags): Promise<Exit> => {
  const { io, json } = context;
  const { doors } = probeOptions(flags);
  const ports = (doors ?? []).filter(({ protocol }) => protocol === 'udp').map(({ port }) => port);
  if (ports.length === 0 || ports.length !== doors?.length)
    throw new CliError('usage', '--listen-for counts for UDP ports: name them with --ports udp/514');
  const seconds = numberOf(flags, 'for', 3600);
  return recorded(context, hostname(), async (record) => {
    await record.begin({ listening: true, ports: ports.map((port) => `udp/${port}`).join(' ') });
    const ended = endOf(seconds * 1000);
    const counting = await explained(async () => countArrivals(parseToken(given), ports));
    try {
      if (json) io.out(jsonLine({ counting: true }));
      else io.err(`Counting what comes with ${given}, for ${seconds} s or until ctrl-d.\n`);
      await ended;
      const arrivals = await explained(async () => counting.read());
      if (json) io.out(jsonLine({ arrivals }));
      else io.out(arrivalsTable(io, arrivals));
      await record.done({ arrivals });
    } finally {
      await counting.stop();
    }
    return Exit.done;
  });
};

const arrivalsTable = (io: Io, arrivals: readonly Counted[]): string =>
  table(
    io,
    ['DOOR', 'REACHED THE HOST', 'PASSED ITS FILTER', 'HANDED ON'],
    arrivals.map((one) => [
      `udp/${one.port}`,
      String(one.reached),
      String(one.passed),
      String(one.forwarded),
    ]),
  );

const endOf = async (milliseconds: number): Promise<void> => {
  const over = new AbortController();
  const end = (): void => over.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
  process.stdin.on('end', end).on('error', end).resume();
  await sleep(milliseconds, undefined, { signal: over.signal }).catch(() => undefined);
  process.stdin.destroy();
};

const explained = async <T>(act: () => Promise<T>): Promise<T> => {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ArrivalError)
      throw new CliError('could-not-look', messageOf(error), { cause: error });
    if (error instanceof ProbeError) throw new CliError('usage', messageOf(error), { cause: error });
    throw error;
  }
};
