import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { questionFor, readAnswer } from './question.ts';
import type { Outcome } from './outcome.ts';
import { failure } from './tcp.ts';

export type UdpTarget = {
  address: string;
  port: number;
  /** How long an answer may take, for each try. */
  timeoutMs: number;
  /** How often the question is put where nothing comes back: datagrams get lost. */
  tries: number;
};

/**
 * Asks in the protocol's own words. The socket is connected, so that ICMP errors come back to it (udp(7)).
 * @param pace before each try
 */
export const probeUdp = async (
  { address, port, timeoutMs, tries }: UdpTarget,
  pace: () => Promise<void>,
): Promise<Outcome> => {
  const question = questionFor(port);
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const settled = Promise.withResolvers<Outcome>();
  let sent = 0;
  const end = (outcome: Partial<Outcome>): void => settled.resolve({ ...unanswered(port, 0), ...outcome });
  const took = (): number => performance.now() - sent;
  const fail = (error: unknown): void => {
    const { result, why, milliseconds } = failure(error, address, took());
    end({ state: result, why: result === 'refused' ? 'ICMP port unreachable' : why, milliseconds });
  };
  socket.on('error', fail);
  socket.on('message', (answer) =>
    end({ state: 'open', why: 'answered', milliseconds: took(), ...readAnswer(question, answer) }),
  );
  const ask = async (): Promise<Outcome> => {
    for (let tried = 0; tried < tries; tried++) {
      await pace();
      sent = performance.now();
      for (const datagram of question.datagrams(randomBytes(4)))
        socket.send(datagram, (error) => (error === null ? undefined : fail(error)));
      const outcome = await within(timeoutMs, settled.promise);
      if (outcome !== null) return outcome;
    }
    return unanswered(port, tries);
  };
  try {
    const connected = Promise.withResolvers<'connected'>();
    socket.connect(port, address, () => connected.resolve('connected'));
    const first = await Promise.race([connected.promise, settled.promise]);
    return first === 'connected' ? await ask() : first;
  } finally {
    socket.close();
  }
};

const within = async <T>(milliseconds: number, promise: Promise<T>): Promise<T | null> => {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), milliseconds);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

const unanswered = (port: number, tries: number): Outcome => ({
  protocol: 'udp',
  port,
  state: 'silent',
  why: `no answer to ${tries} ${tries === 1 ? 'question' : 'questions'}`,
  milliseconds: null,
  service: null,
  banner: null,
  tls: null,
});
