import { Readable } from 'node:stream';
import { bulkActions, bulkAnswer } from './bulk-actions.ts';
import { productHeader } from './elasticsearch.ts';
import { refusals, type Refusal } from './refusal.ts';
import type { StoreRoute } from './routes.ts';

export type Answer = {
  status: number;
  /** Content-Type; `''` = no body. */
  type: string;
  body: string | Readable;
  headers?: Record<string, string>;
};

export const plainText = 'text/plain; charset=utf-8';

const document = JSON.stringify({
  _index: 'holdfast',
  result: 'created',
  _shards: { total: 1, successful: 1, failed: 0 },
});

/**
 * What the sender of a body is to hear once it is durable: what its own server would have said. Or why it is not to be
 * stored: what it is to hear cannot be said.
 */
export type Answers = (
  route: StoreRoute,
  given: { type: string; encoding: string; body(): readonly Buffer[] },
) => Promise<Answer | { refusal: Refusal }>;

export const openAnswers = (): Answers => {
  let counting: Promise<unknown> = Promise.resolve();
  return async (route, { type, encoding, body }) => {
    switch (route.answer) {
      case 'journal':
      case 'text':
        return { status: 200, type: plainText, body: 'OK.\n' };
      case 'none':
        return { status: 204, type: '', body: '' };
      case 'accepted':
        return { status: 202, type: '', body: '' };
      case 'otlp':
        // An ExportLogsServiceResponse in which nothing was rejected has no fields (opentelemetry-proto, logs_service.proto).
        return /^application\/json\b/i.test(type)
          ? { status: 200, type: 'application/json', body: '{}' }
          : { status: 200, type: 'application/x-protobuf', body: '' };
      case 'document':
        return { status: 201, type: 'application/json', body: `${document}\n`, headers: productHeader };
      case 'bulk': {
        // One at a time: what is unpacked for it competes with the disk for threads.
        const counted = counting.then(() => bulkActions(body(), encoding));
        counting = counted.catch(() => undefined);
        const actions = await counted;
        if (actions === null) return { refusal: refusals.bodyTooLarge };
        return {
          status: 200,
          type: 'application/json',
          body: Readable.from(bulkAnswer(actions)),
          headers: productHeader,
        };
      }
    }
  };
};
