import { unique, type Door } from './door.ts';
import type { Outcome } from './outcome.ts';
import { pacer, type Rates } from './pace.ts';
import { probeTcp } from './tcp.ts';
import { probeUdp } from './udp.ts';
import type { Vantage } from './vantage.ts';

export type HostProbe = {
  doors: readonly Door[];
  rates: Rates;
  /** How long an answer may take. */
  timeoutMs: number;
};

export type HostSeen = {
  outcomes: Outcome[];
  /** Something came back from some port: there is a host. Where nothing did, one that is off would look the same. */
  alive: boolean;
};

/** How long a TCP server may take to speak by itself. */
const listenMs = 1500;
/** One answer of a server over UDP takes a way there and back; what is lost is asked again. */
const udpWaitMs = 2000;
const udpTries = 3;
/** Tried where none of the asked ports answered in any way. */
const signsOfLife: readonly Door[] = [22, 80, 443, 9, 113].map((port) => ({ protocol: 'tcp', port }));

/** Looks at all doors of a host, paced. */
export const probeHost = async (
  { host, address }: Pick<Vantage, 'host' | 'address'>,
  { doors, rates, timeoutMs }: HostProbe,
): Promise<HostSeen> => {
  const tcpPace = pacer(rates.tcp);
  const udpPace = pacer(rates.udp);
  const look = async ({ protocol, port }: Door): Promise<Outcome> =>
    protocol === 'tcp'
      ? probeTcp({ host, address, port, timeoutMs, listenMs }, tcpPace)
      : probeUdp({ address, port, timeoutMs: Math.min(timeoutMs, udpWaitMs), tries: udpTries }, udpPace);
  const outcomes = await Promise.all(unique(doors).map(look));
  const alive = outcomes.some(isSign) || (await Promise.all(signsOfLife.map(look))).some(isSign);
  return { outcomes, alive };
};

const isSign = ({ state }: Outcome): boolean => state === 'open' || state === 'refused';
