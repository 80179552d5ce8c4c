import type { FastifyReply } from 'fastify';

/** A signal that fires when the browser has its answer or has gone, so that search need not work on for nobody. */
export const closing = (reply: FastifyReply): AbortSignal => {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
};
