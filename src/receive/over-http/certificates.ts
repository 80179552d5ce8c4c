import type { IncomingMessage } from 'node:http';
import type { Clock } from '#base/clock';
import { networkOf } from '#base/network';
import type { Ledger } from '../ledger.ts';
import { openAttempts } from './attempts.ts';
import type { Connection } from './connections.ts';
import { wholeBody } from './incoming.ts';
import { growing, type BodyMemory } from './memory.ts';
import type { Pace } from './pace.ts';
import type { Stored } from './storing.ts';

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

export type CertificatesOptions = {
  clock: Clock;
  ledger: Ledger;
  memory: BodyMemory;
  pace: Pace;
};

/**
 * Passes requests for certificates on, a few at a time. Each that is refused is a line in the log. Who has a certificate
 * is not kept from renewing it by strangers who enrol.
 */
export const openCertificates = (
  handler: CertificateHandler,
  { clock, ledger, memory, pace }: CertificatesOptions,
): ((given: {
  request: IncomingMessage;
  connection: Connection;
  path: CertificateRequest['path'];
  name: string;
  goAhead(): void;
}) => Promise<Stored>) => {
  const enrolments = openAttempts(clock, { each: 30, all: 300, atOnce: 16 });
  const renewals = openAttempts(clock, { each: 30, all: 1000, atOnce: 16 });

  return async ({ request, connection, path, name, goAhead }) => {
    const { peer, tlsName } = connection.peer;
    const network = networkOf(connection.address);
    goAhead();
    const held = growing(memory, network);
    let body: Buffer = Buffer.alloc(0);
    const incoming = wholeBody(held, { body: longestBody }, ({ pieces }) => {
      body = Buffer.concat(pieces);
    });
    const result = await pace.read(request, connection, incoming, 'short');
    if (result === 'complete') incoming.complete();
    held.free();
    if (result === 'torn') return null;
    if (result !== 'complete') return { refusal: result };

    // Whoever sends no body takes nobody's place.
    const isKnown = path === '/renew' && tlsName !== '';
    const attempts = isKnown ? renewals : enrolments;
    const who = isKnown ? tlsName : network;
    const obstacle = attempts.enter(who);
    if (obstacle !== null) return { refusal: obstacle };
    try {
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
      attempts.leave(who);
    }
  };
};
