import { connect, isIPv6, type Socket } from 'node:net';
import { messageOf, systemCode } from '#base/errors';
import { describe, isTlsAlert, longestAnswer } from './banner.ts';
import { greetingFor, unknownPort, type Greeting } from './greeting.ts';
import type { Outcome } from './outcome.ts';
import { lookAtTls } from './tls.ts';

export type TcpTarget = {
  /** For `Host:` and SNI. */
  host: string;
  address: string;
  port: number;
  /** How long an answer may take. */
  timeoutMs: number;
  /** How long a server may take to speak by itself. */
  listenMs: number;
};

/**
 * The telnet test: connects, listens, says what the protocol's client would say first where the server waits for it.
 * @param pace before each connection
 */
export const probeTcp = async (target: TcpTarget, pace: () => Promise<void>): Promise<Outcome> => {
  await pace();
  const connected = await dial(target);
  if (connected.result !== 'open') return outcomeOf(target.port, connected);
  const { socket, milliseconds } = connected;
  const known = greetingFor(target.port);
  const open = { ...outcomeOf(target.port, connected), milliseconds };
  if (known?.kind === 'tls') {
    socket.destroy();
    return { ...open, ...(await overTls(target, pace)) };
  }
  const heard = await converse(socket, target, known);
  socket.destroy();
  if (heard.length > 0 && !isTlsAlert(heard))
    return { ...open, ...(known?.kind === 'say' ? known.read(heard) : describe(heard)) };
  return known === null ? { ...open, ...(await overTls(target, pace)) } : open;
};

const overTls = async (target: TcpTarget, pace: () => Promise<void>): Promise<Partial<Outcome>> => {
  const tls = await lookAtTls(target, pace);
  return tls === null ? {} : { tls, service: 'tls' };
};

type Dialled =
  | { result: 'open'; socket: Socket; milliseconds: number }
  | { result: 'refused' | 'filtered' | 'not-looked'; why: string; milliseconds: number | null };

const dial = async ({ address, port, timeoutMs }: TcpTarget): Promise<Dialled> =>
  new Promise((resolve) => {
    const started = performance.now();
    const socket = connect({ host: address, port });
    const took = (): number => performance.now() - started;
    const fail = (end: Dialled): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(end);
    };
    const timer = setTimeout(
      () => fail({ result: 'filtered', why: `no answer within ${timeoutMs / 1000} s`, milliseconds: null }),
      timeoutMs,
    );
    socket.on('error', (error) => fail(failure(error, address, took())));
    socket.on('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      resolve({ result: 'open', socket, milliseconds: took() });
    });
  });

/** What an error of connect(2) says of the door; the kernel makes them of ICMP (net/ipv4/icmp.c, icmp_err_convert; for IPv6 icmpv6_err_convert). */
export const failure = (
  error: unknown,
  address: string,
  milliseconds: number,
): Exclude<Dialled, { result: 'open' }> => {
  const code = systemCode(error);
  // firewalld rejects so. Over IPv4 it is this machine that forbids it.
  if (code === 'EACCES' && isIPv6(address))
    return {
      result: 'filtered',
      why: 'ICMPv6 administratively prohibited, or a route that forbids it',
      milliseconds,
    };
  switch (code) {
    case 'ECONNREFUSED':
      return { result: 'refused', why: 'reset, or ICMP port unreachable', milliseconds };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOPROTOOPT':
      return {
        result: 'filtered',
        why: `ICMP unreachable, or no host has the address (${code})`,
        milliseconds,
      };
    case 'ETIMEDOUT':
      return { result: 'filtered', why: 'no answer', milliseconds: null };
    case 'ECONNRESET':
      return { result: 'refused', why: 'reset while connecting', milliseconds };
    default:
      return { result: 'not-looked', why: `could not be tried: ${messageOf(error)}`, milliseconds: null };
  }
};

/** What the server says by itself, or to the greeting; at most `longestAnswer` bytes. */
const converse = async (
  socket: Socket,
  { host, listenMs, timeoutMs }: TcpTarget,
  known: Greeting | null,
): Promise<Uint8Array> => {
  const say = known ?? unknownPort;
  let heard: Uint8Array = new Uint8Array();
  const { promise: over, resolve: finish } = Promise.withResolvers<void>();
  let timer = setTimeout(() => undefined, 0);
  const wait = (ms: number, then: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(then, ms);
  };
  const greet = (): void => {
    if (say.kind === 'say') socket.write(say.bytes(host));
    wait(say.kind === 'say' ? timeoutMs : 0, finish);
  };
  socket.on('data', (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]).subarray(0, longestAnswer);
    if (heard.length >= longestAnswer) finish();
    // What belongs together comes together.
    else wait(pauseMs, finish);
  });
  socket.on('close', () => finish());
  // A server that is known to wait for its client is not kept waiting.
  wait(known?.kind === 'say' ? 0 : listenMs, greet);
  await over;
  clearTimeout(timer);
  return heard;
};

const pauseMs = 150;

const outcomeOf = (port: number, dialled: Dialled): Outcome => ({
  protocol: 'tcp',
  port,
  state: dialled.result,
  why: dialled.result === 'open' ? 'connected' : dialled.why,
  milliseconds: dialled.milliseconds,
  service: null,
  banner: null,
  tls: null,
});
