import type { FastifyRequest } from 'fastify';
import type { OnBehalf } from '#wire/reader';
import { sessionName } from './sessions.ts';

const known = new WeakMap<FastifyRequest, OnBehalf>();

/** Called for each request that carries a live session. */
export const letIn = (request: FastifyRequest, sessionId: string): void => {
  const { remoteAddress, remotePort } = request.socket;
  known.set(request, { session: sessionName(sessionId), peer: `${remoteAddress}:${remotePort}` });
};

/** For whom the console reads, as it stands in the record of the read. */
export const whoOf = (request: FastifyRequest): OnBehalf => known.get(request) ?? {};
