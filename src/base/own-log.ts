import { formatMicros } from './rfc3339.ts';
import { systemClock } from './clock.ts';
import { printable } from './printable.ts';

/** A process's own diagnostics: one line each on stderr, where the supervisor or the journal picks them up. */
export type OwnLog = (severity: 'error' | 'warning' | 'info', message: string) => void;

export const ownLog = (processName: string): OwnLog => {
  const clock = systemClock();
  return (severity, message) => {
    process.stderr.write(`${formatMicros(clock.now())} ${processName} ${severity}: ${printable(message)}\n`);
  };
};
