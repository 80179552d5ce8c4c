import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';
import type { Peer } from '../stream-server.ts';
import { shortBody } from './incoming.ts';
import { refusals, type Refusal } from './refusal.ts';

/** Somebody asks for a certificate: without one of its own (`/enrol`), or with it (`/renew`). */
export type CertificateRequest = {
  method: string;
  path: '/enrol' | '/renew';
  body: Buffer;
  /** `''` = it showed no certificate. */
  tlsName: string;
  /** `HOST:PORT` */
  peer: string;
};
export type CertificateHandler = (
  request: CertificateRequest,
) => Promise<{ status: number; body: string; type: string }>;

const longestBody = 64 * 1024;
const mostAtOnce = 16;

/** Passes requests for certificates on, a few at a time. */
export const openCertificates = (
  handler: CertificateHandler,
): ((
  given: { request: IncomingMessage; path: CertificateRequest['path']; goAhead(): void },
  peer: Peer,
) => Promise<{ answer: Answer } | { refusal: Refusal }>) => {
  let underWay = 0;
  return async ({ request, path, goAhead }, { peer, tlsName }) => {
    if (underWay >= mostAtOnce) return { refusal: refusals.noMemory };
    underWay += 1;
    try {
      goAhead();
      const body = await shortBody(request, longestBody);
      if (body === null) return { refusal: refusals.bodyTooLarge };
      return { answer: await handler({ method: request.method ?? '', path, body, tlsName, peer }) };
    } finally {
      underWay -= 1;
    }
  };
};
