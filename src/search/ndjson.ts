import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

export type Lines = { line(value: unknown): Promise<void>; end(): void };

/** Newline-delimited JSON; a line waits while the reader does not read. */
export const openLines = (reply: FastifyReply): Lines => {
  reply.hijack();
  const response = reply.raw;
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  return {
    async line(value) {
      if (response.destroyed || response.writableEnded) return;
      if (!response.write(`${JSON.stringify(value)}\n`)) await drained(response);
    },
    end: () => response.end(),
  };
};

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
