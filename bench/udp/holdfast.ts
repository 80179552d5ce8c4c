import type { StateDirectory } from '#base/state';
import { BenchError } from '../errors.ts';
import { install } from '../holdfast/installation.ts';
import { deliveriesOf, linesOf } from '../holdfast/intake-lines.ts';
import { ticking, type Ticking } from './ticks.ts';
import { trialOf, underLoad, type Pace, type Range, type Trial } from './trial.ts';

const none = { profiles: null, fsyncDelayMs: 0 };

/**
 * The receiver alone: what it has stored is fsynced when it has ended.
 * @param dir empty, for this trial alone
 */
export const tryHoldfast = async (
  range: Range,
  pace: Pace,
  dir: string,
  profiles: string | null = null,
): Promise<Trial> => {
  const { state, processes, port } = await install(
    dir,
    ['receiver'],
    'udp',
    { ...none, profiles },
    { kind: 'syslog-udp', tls: null },
  );
  const [child] = processes;
  if (child === undefined) throw new BenchError('failed', 'no receiver was started');
  const load = await underLoad(range, pace, port, child.pid, state.intake);
  await child.stop(60_000);
  const ticked = ticking(range.checks, load.lines);
  const counted = readIntake(state, ticked);
  return trialOf(pace.rate, load, ticked.ticks(), counted);
};

/** Ticks off each line that came as a datagram. @returns what the receiver's own lines say was lost, by cause */
const readIntake = (state: StateDirectory, ticked: Ticking): Record<string, number> => {
  const counted: Record<string, number> = {};
  for (const { delivery, listener } of deliveriesOf(state)) {
    if (listener.startsWith('syslog-udp=')) for (const line of linesOf(delivery)) ticked.line(line);
    else if (listener === 'receiver') for (const line of linesOf(delivery)) addLoss(counted, line);
  }
  return counted;
};

const addLoss = (counted: Record<string, number>, line: Buffer): void => {
  const said = JSON.parse(line.toString()) as { kind: string; cause?: string; count?: number };
  if (said.kind !== 'loss' || said.cause === undefined) return;
  counted[said.cause] = (counted[said.cause] ?? 0) + (said.count ?? 0);
};
