import { messageOf } from '#base/errors';
import { CliError, text, type Flags } from '#cli';
import { parseDoors, ProbeError, type Door, type Rates } from '#probe/host';

export type ProbeOptions = {
  /** `null`: what the host says of itself, and what is well known. */
  doors: Door[] | null;
  rates: Rates;
  timeoutMs: number;
};

/** @throws CliError `usage` */
export const probeOptions = (flags: Flags): ProbeOptions => {
  const ports = text(flags, 'ports');
  return {
    doors: ports === undefined ? null : doorsOf(ports),
    rates: {
      tcp: numberOf(flags, 'rate', 1000),
      udp: numberOf(flags, 'udpRate', 1000),
    },
    timeoutMs: 1000 * numberOf(flags, 'timeout', 60),
  };
};

const doorsOf = (ports: string): Door[] => {
  try {
    return parseDoors(ports);
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    throw new CliError('usage', `--ports: ${messageOf(error)}`, { cause: error });
  }
};

const flagNames = { rate: '--rate', udpRate: '--udp-rate', timeout: '--timeout', for: '--for' } as const;

/** @throws CliError `usage` */
export const numberOf = (flags: Flags, name: keyof typeof flagNames, most: number): number => {
  const value = Number(text(flags, name));
  if (value > 0 && value <= most) return value;
  throw new CliError('usage', `${flagNames[name]} takes a number above 0, at most ${most}`);
};
