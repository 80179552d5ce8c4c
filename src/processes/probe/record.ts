import { randomBytes } from 'node:crypto';
import type { Compared } from '#advise';
import { messageOf } from '#base/errors';
import { CliError, type Context } from '#cli';
import { openRecording } from '#cli/say';
import { nameOfDoor, type Outcome, type Vantages } from '#probe/host';

/**
 * Lines of one probe in the log: `{"kind":"probe",…}` with who probes, what, and how. It begins before anything is sent,
 * and what came of it follows under the same `probe`.
 */
export type ProbeRecord = {
  begin(how: Record<string, unknown>): Promise<void>;
  done(what: Record<string, unknown>): Promise<void>;
  /** Of the addresses at which nothing was looked at. */
  notLooked(what: Pick<Vantages, 'lost' | 'others'>): Promise<void>;
};

/**
 * Runs a probe with its record; where it fails, that is its end.
 * @param target as the operator named it
 */
export const recorded = async <Result>(
  context: Context,
  target: string,
  act: (record: ProbeRecord) => Promise<Result>,
): Promise<Result> => {
  const recording = openRecording(context, 'probe');
  const by = { probe: randomBytes(6).toString('hex'), target };
  try {
    return await act({
      begin: async (how) => recording.say({ ...by, outcome: 'begun', ...how }),
      done: async (what) => recording.say({ ...by, outcome: 'done', ...what }),
      notLooked: async ({ lost, others }) => {
        const beyond = others.map((address) => ({
          address,
          why: 'a name has more addresses than are probed of one',
        }));
        for (const one of [...lost, ...beyond]) await recording.say({ ...by, outcome: 'not looked', ...one });
      },
    });
  } catch (error) {
    const outcome = error instanceof CliError && error.code === 'refused' ? 'refused' : 'failed';
    await recording.say({ ...by, outcome, why: messageOf(error) });
    throw error;
  } finally {
    recording.close();
  }
};

/** What came back, in short: doors that are open by name, all others by their number. */
export const summaryOf = (outcomes: readonly Outcome[], compared: readonly Compared[] | null): object => {
  const byState = Map.groupBy(outcomes, ({ state }) => state);
  const count = Object.fromEntries([...byState].map(([state, doors]) => [state, doors.length]));
  const verdicts = Map.groupBy(compared ?? [], ({ verdict }) => verdict);
  return {
    open: (byState.get('open') ?? []).map(nameOfDoor).join(' '),
    count,
    ...(compared === null
      ? {}
      : { verdict: Object.fromEntries([...verdicts].map(([verdict, doors]) => [verdict, doors.length])) }),
  };
};
