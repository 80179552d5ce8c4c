import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival } from '#advise';
import type { CouldNotLook } from '#base/looked';
import type { StateDirectory } from '#base/state';
import { messageOf } from '#base/errors';
import { CliError } from '#cli';
import { callSearch } from '#cli/search-socket';
import type { Counted } from '#probe/arrival';
import { makeToken, tokenFor } from '#probe/host';
import { hit } from '#wire/search';
import { haveTokensSent } from './ask.ts';
import { listenThere } from './listener-there.ts';

export type TwoSided = {
  address: string;
  /** How many addresses of the host are probed, this one among them. */
  addresses: number;
  /** UDP ports that answered nothing. */
  ports: readonly number[];
  /** What runs a command on the host; `null`: it is not asked. */
  through: string | null;
  /** As the operator gave it to the host's side; `null`: a new one. */
  token: string | null;
};

export type Arrivals = { byPort: ReadonlyMap<number, Arrival>; couldNotLook: CouldNotLook[] };

const times = 5;
/** Datagrams in a second. */
const rate = 5;
/** The last ones are on their way. */
const settleMs = 300;

/**
 * The two-sided probe: sends tokens to silent doors; the host counts them (`--through`), and the log here is asked for
 * them, which has them where the door is that of a log daemon that ships to it.
 * @throws CliError
 */
export const probeArrivals = async (
  state: StateDirectory,
  { address, addresses, ports, through, token: given }: TwoSided,
): Promise<Arrivals> => {
  if (given !== null && addresses > 1)
    return { byPort: new Map(), couldNotLook: [oneForAll(address, ports)] };
  const token = given ?? makeToken(randomBytes(12));
  const send = async (): Promise<void> => {
    await haveTokensSent({ address, ports: [...ports], token, times, rate });
    await sleep(settleMs);
  };
  const { counted, couldNotLook } = await countedThere(through, token, ports, send);
  const logged = await loggedHere(state, token, ports);
  const byPort = new Map(
    ports.map((port): [number, Arrival] => {
      const one = counted?.find((seen) => seen.port === port);
      return [port, { sent: times, counted: one ?? null, logged: logged.get(port) ?? null }];
    }),
  );
  return { byPort, couldNotLook };
};

/** A count or a line holds the token, and not the address that it was sent to. */
const oneForAll = (address: string, ports: readonly number[]): CouldNotLook => ({
  what: `what reaches ${namesOf(ports)} of ${address}`,
  why: 'with one token for several addresses nothing shows at which of them it arrived, so none was sent',
  remedy: `Probe one address at a time: holdfast services probe ${address} --token …`,
});

const namesOf = (ports: readonly number[]): string => ports.map((port) => `udp/${port}`).join(', ');

const countedThere = async (
  through: string | null,
  token: string,
  ports: readonly number[],
  send: () => Promise<void>,
): Promise<{ counted: Counted[] | null; couldNotLook: CouldNotLook[] }> => {
  if (through === null) {
    await send();
    return { counted: null, couldNotLook: [] };
  }
  try {
    const listener = await listenThere(through, token, ports);
    await send();
    return { counted: await listener.end(), couldNotLook: [] };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const gap = {
      what: `what reaches ${namesOf(ports)}`,
      why: messageOf(error),
      remedy: 'the host counts it with nft: have nftables there, and a command that makes you root there',
    };
    return { counted: null, couldNotLook: [gap] };
  }
};

const lookAgainMs = 500;
/** From a datagram to a line that can be searched. */
const indexedWithinMs = 6000;

/** Addresses of lines that hold the tokens; none where nobody searches here. */
const loggedHere = async (
  state: StateDirectory,
  token: string,
  ports: readonly number[],
): Promise<Map<number, string>> => {
  const logged = new Map<number, string>();
  const until = performance.now() + indexedWithinMs;
  try {
    for (;;) {
      for (const port of ports.filter((one) => !logged.has(one)))
        for await (const line of callSearch(state, 'POST', '/search', {
          query: tokenFor(token, port),
          limit: 1,
          total: 'skip',
        })) {
          const found = hit.safeParse(line);
          if (found.success) logged.set(port, found.data.address);
        }
      if (logged.size === ports.length || performance.now() > until) return logged;
      await sleep(lookAgainMs);
    }
  } catch (error) {
    if (error instanceof CliError && (error.code === 'not-running' || error.code === 'refused'))
      return logged;
    throw error;
  }
};
