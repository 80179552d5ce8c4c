import type { IncomingMessage } from 'node:http';
import type { Clock } from '#base/clock';
import type { Answer } from './answer.ts';
import type { Ledger } from '../ledger.ts';
import type { Peer } from '../stream-server.ts';
import { openAttempts } from './attempts.ts';
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
export type CertificateHandler = (request: CertificateRequest) => Promise<{
  status: number;
  body: string;
  type: string;
  /** Why it was not granted, in a word; `null` = it was. */
  refused: string | null;
}>;

const longestBody = 64 * 1024;
const mostAtOnce = 16;

/** Passes requests for certificates on, a few at a time. Each that is refused is a line in the log. */
export const openCertificates = (
  handler: CertificateHandler,
  { clock, ledger }: { clock: Clock; ledger: Ledger },
): ((
  given: { request: IncomingMessage; path: CertificateRequest['path']; name: string; goAhead(): void },
  peer: Peer,
) => Promise<{ answer: Answer } | { refusal: Refusal }>) => {
  let underWay = 0;
  const attempts = openAttempts(clock);
  return async ({ request, path, name, goAhead }, { peer, tlsName }) => {
    if (!attempts.may(peer.replace(/:\d+$/, ''))) return { refusal: refusals.tooOften };
    if (underWay >= mostAtOnce) return { refusal: refusals.noMemory };
    underWay += 1;
    try {
      goAhead();
      const body = await shortBody(request, longestBody);
      if (body === null) return { refusal: refusals.bodyTooLarge };
      const { refused, ...answer } = await handler({
        method: request.method ?? '',
        path,
        body,
        tlsName,
        peer,
      });
      if (refused !== null)
        ledger.say({ kind: 'certificate-refused', listener: name, peer, tlsName, path, reason: refused });
      return { answer };
    } finally {
      underWay -= 1;
    }
  };
};
