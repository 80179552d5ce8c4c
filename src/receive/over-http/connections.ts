import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '#base/clock';
import type { LedgerCause } from '../ledger.ts';
import type { Peer } from '../stream-server.ts';
import { httpConnection, type HttpConnection } from './connection.ts';
import type { HttpLimits } from './limits.ts';
import { refusals, type Refusal } from './refusal.ts';

/** How far a body has come. */
export type Progress = {
  since: number;
  last: number;
  bytes: number;
  /** In which the last slice of the connection came. */
  pieces: number;
  /**
   * `held-back`: by us, because the disk is behind. `followed`: its sender may take its time. `short`: all of it has to
   * come within a few seconds.
   */
  pace: 'due' | 'held-back' | 'followed' | 'short';
  refuse(refusal: Refusal): void;
};

/** One connection, and what is under way on it. */
export type Connection = HttpConnection & {
  peer: Peer;
  /** Address, without its port. */
  address: string;
  /** Requests that are not answered in full. */
  underWay: number;
  body: Progress | null;
  /** The last request that has begun is not complete, and has no answer. */
  isOpen: () => boolean;
  /** Since when the head of a request has been coming; `null` = none is. */
  headSince: number | null;
  idleSince: number;
  /** It was told why it is not served, or cut off: nothing more is counted of it. */
  isRefused: boolean;
  /** What is to be done for each request that is under way once it is over. */
  ends: Set<() => void>;
  /** The answer that its sender has to take, and since when. */
  answer: { response: ServerResponse; since: number } | null;
  /** Called when no request is under way any more. */
  onIdle: (() => void) | null;
};

/**
 * Calls `then` once the answer was taken, or nobody is there to take it. Node never says of an answer that still waits
 * for another one's end that its connection is gone.
 */
export const whenOver = (connection: Connection, response: ServerResponse, then: () => void): void => {
  const end = (): void => {
    if (connection.ends.delete(end)) then();
  };
  connection.ends.add(end);
  response.once('close', end);
};

/** Its sender has to take this answer from now on; or, where it waits for another one's end, from then on. */
export const oweAnswer = (connection: Connection, response: ServerResponse, now: () => number): void => {
  const owe = (): void => {
    connection.answer = { response, since: now() };
  };
  if (response.socket === null) response.once('socket', owe);
  else owe();
  response.once('close', () => {
    if (connection.answer?.response === response) connection.answer = null;
  });
};

export type Connections = {
  open(socket: Socket, peer: Peer): Connection;
  closed(connection: Connection): void;
  of(duplex: unknown): Connection | undefined;
  stop(): void;
};

const lookEveryMs = 1000;

/**
 * All connections of a listener, with an eye on the time that each takes.
 * @param cutOff ends one that does not take its answer
 */
export const openConnections = (
  clock: Pick<Clock, 'elapsed'>,
  limits: HttpLimits,
  refuseHead: (connection: Connection, refusal: Refusal) => void,
  cutOff: (connection: Connection, cause: LedgerCause) => void,
): Connections => {
  const all = new Map<unknown, Connection>();

  const look = (connection: Connection, now: number): void => {
    const { answer, body, headSince } = connection;
    if (answer !== null && now - answer.since > limits.answerMs) cutOff(connection, 'unread answer');
    else if (body !== null) {
      if (body.pace === 'held-back') return;
      const took = now - body.since;
      const isStalled = now - body.last > limits.stalledMs;
      const isSlow =
        body.pace === 'short'
          ? took > limits.shortMs
          : took > limits.graceMs && (body.bytes * 1000) / took < limits.slowest;
      if (body.pace === 'followed' ? now - body.last > 10 * limits.stalledMs : isStalled || isSlow)
        body.refuse(refusals.slow);
    } else if (headSince !== null) {
      if (now - headSince > limits.headMs) refuseHead(connection, refusals.slow);
    } else if (connection.underWay === 0 && now - connection.idleSince > limits.idleMs) connection.close();
  };
  const watch = setInterval(
    () => {
      const now = clock.elapsed();
      for (const connection of all.values()) look(connection, now);
    },
    Math.min(lookEveryMs, limits.headMs, limits.shortMs, limits.answerMs),
  );

  return {
    open(socket, peer) {
      const http = httpConnection(socket, () => {
        if (connection.body === null) return null;
        const { pieces } = connection.body;
        connection.body.pieces = 0;
        return pieces;
      });
      const connection: Connection = {
        ...http,
        push(chunk) {
          if (connection.underWay === 0) connection.headSince ??= clock.elapsed();
          http.push(chunk);
        },
        peer,
        address: socket.remoteAddress ?? 'unknown',
        underWay: 0,
        body: null,
        isOpen: () => false,
        headSince: null,
        idleSince: clock.elapsed(),
        isRefused: false,
        ends: new Set(),
        answer: null,
        onIdle: null,
      };
      all.set(http.duplex, connection);
      return connection;
    },
    closed(connection) {
      all.delete(connection.duplex);
      connection.end();
      // Those of the answers that Node knows to be over come first.
      setImmediate(() => {
        for (const end of connection.ends) end();
      });
    },
    of: (duplex) => all.get(duplex),
    stop: () => clearInterval(watch),
  };
};
