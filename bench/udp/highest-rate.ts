import { lost, type Trial } from './trial.ts';

/** The highest rate at which nothing was lost, and everything that was tried on the way. */
export type HighestRate = {
  /** Datagrams a second; 0 if even the lowest rate lost some. */
  rate: number;
  /**
   * `senders`: it is they that could do no more, so the receiver's own limit was not found; `order`: only this rate was
   * to be tried.
   */
  endedBy: 'loss' | 'senders' | 'order';
  trials: Trial[];
};

/** Senders that came to less than this part of a rate have not tried it. */
const reached = 0.95;

/**
 * Doubles the rate from `from` on until something is lost twice, then narrows it down to one part in `precision`. A
 * rate counts as good if one of two trials lost nothing, and is tried again where the senders were held up: a hiccup of
 * the machine is no limit.
 */
export const highestRate = async (
  from: number,
  precision: number,
  attempt: (rate: number) => Promise<Trial>,
): Promise<HighestRate> => {
  const trials: Trial[] = [];
  const judge = async (rate: number): Promise<'good' | 'lossy' | 'not reached'> => {
    let slow = 0;
    for (let lossy = 0; lossy < 2;) {
      const trial = await attempt(rate);
      trials.push(trial);
      if (lost(trial) === 0 && trial.reachedRate >= rate * reached) return 'good';
      if (lost(trial) > 0) lossy += 1;
      else if ((slow += 1) === 3) return 'not reached';
    }
    return 'lossy';
  };
  let good = 0;
  let bad = from;
  for (; ; bad *= 2) {
    const verdict = await judge(bad);
    if (verdict === 'lossy') break;
    // What the senders did reach was taken without a loss.
    if (verdict === 'not reached')
      return { rate: Math.max(good, trials.at(-1)?.reachedRate ?? 0), endedBy: 'senders', trials };
    good = bad;
  }
  let endedBy: 'loss' | 'senders' = 'loss';
  while (bad - good > bad / precision && bad > 1000) {
    const rate = Math.round((good + bad) / 2);
    const verdict = await judge(rate);
    if (verdict === 'good') good = rate;
    else bad = rate;
    if (verdict === 'not reached') endedBy = 'senders';
  }
  return { rate: good, endedBy, trials };
};

/** The same of one rate alone. */
export const onlyRate = async (
  rate: number,
  attempt: (rate: number) => Promise<Trial>,
): Promise<HighestRate> => {
  const trial = await attempt(rate);
  return { rate: lost(trial) === 0 ? rate : 0, endedBy: 'order', trials: [trial] };
};
