/** Steps of the ladder that a fix can take. */
export type FixStep = 'local only' | 'do not run' | 'do not install' | 'firewalled';

/** What becomes of the service, to follow "is to be". */
export const aims: Readonly<Record<FixStep, string>> = {
  'local only': 'open to this host alone',
  'do not run': 'stopped',
  'do not install': 'removed',
  firewalled: 'open to whom the firewall lets in',
};

/** Whether it does not run any more afterwards, so that nobody who used it can. */
export const takesAway = (step: FixStep): boolean => step === 'do not run' || step === 'do not install';
