import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiError } from '#wire/console';
import { plainPage, plainStyleHash, type PlainPage } from './plain-page.ts';
import { cookieValue, type Sessions } from './sessions.ts';
import { letIn } from './who.ts';

/**
 * Everything that stands between a request and the log. In this order, each request must
 * 1. name this console in Host: a page of another site whose name was rebound to 127.0.0.1 does not (421);
 * 2. come from this console's own page, if it goes to the API and the browser says where it comes from (403);
 * 3. carry the token, which opens a session each time it is shown until the next start, or a session (401).
 */

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // No script of the page can turn text into markup: the browser refuses innerHTML and its kind.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const plainContentSecurityPolicy = `default-src 'none'; style-src ${plainStyleHash}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const headers = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
};

export const isApi = (request: FastifyRequest): boolean => request.url.startsWith('/api/');

/** Answers a request that goes no further: JSON to the API's callers, a page to people. */
export const refuse = (
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  code: string,
  page: PlainPage,
): FastifyReply => {
  reply.code(status);
  if (isApi(request)) {
    const message = [page.text, page.command, page.after].filter((part) => part !== undefined).join(' ');
    const body: ApiError = { error: { code, message, column: null, suggestion: null } };
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(body));
  }
  return reply
    .header('content-security-policy', plainContentSecurityPolicy)
    .type('text/html; charset=utf-8')
    .send(plainPage(page));
};

/** Values of Host under which this console may be called. `port` is the one that it is bound to. */
export const ownHosts = (boundAddress: string, port: number): Set<string> => {
  const bound = boundAddress.includes(':') ? `[${boundAddress}]` : boundAddress;
  return new Set([bound, '127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`));
};

export type Gate = {
  sessions: Sessions;
  /** Called per request: the port is known only once the console listens. */
  bound(): { address: string; port: number };
};

export const addGate = (app: FastifyInstance, gate: Gate): void => {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    const { address, port } = gate.bound();
    const { host, origin, cookie } = request.headers;
    const site = request.headers['sec-fetch-site'];

    if (host === undefined || !ownHosts(address, port).has(host.toLowerCase())) {
      return refuse(request, reply, 421, 'wrong-host', {
        title: 'This is not the address of the console',
        text: 'The request names another host than the one that this console serves. Open the address that "holdfast up" printed.',
      });
    }

    const foreignOrigin = origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`;
    const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    const guarded = isApi(request) || (request.method !== 'GET' && request.method !== 'HEAD');
    if (guarded && (foreignOrigin || foreignSite)) {
      return refuse(request, reply, 403, 'wrong-origin', {
        title: 'The request came from another page',
        text: 'The console answers its own page alone.',
      });
    }

    const cookieName = `holdfast_session_${port}`;
    const url = URL.parse(request.url, 'http://console.invalid');
    const offered = url?.pathname === '/' && request.method === 'GET' ? url.searchParams.get('token') : null;
    if (offered !== null) {
      const id = gate.sessions.open(offered);
      if (id !== null) {
        return reply
          .code(303)
          .header('set-cookie', `${cookieName}=${id}; HttpOnly; SameSite=Strict; Path=/`)
          .header('location', '/')
          .send();
      }
    } else {
      const id = cookieValue(cookie, cookieName);
      if (id !== null && gate.sessions.holds(id)) {
        letIn(request, id);
        return;
      }
    }
    return refuse(request, reply, 401, 'no-session', {
      title: offered === null ? 'Open the console by its link' : 'This link is no longer good',
      text:
        offered === null
          ? 'Logs are shown only to who has the link with the token, or a session that it opened. The link is printed by'
          : 'The token is not the one this console was started with; each start makes a new one. The link is printed by',
      command: 'holdfast up',
      after: 'It looks like http://127.0.0.1:8600/?token=… and works until Holdfast is started again.',
    });
  });
};
