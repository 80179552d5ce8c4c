import { request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import { WitnessError } from './errors.ts';

/**
 * Where somebody is reached: `https://host/prefix`, `http://host:port/prefix`, or `unix:/path/of.sock` for a socket on
 * this machine. A path of a request is put behind the prefix.
 */
export type Place = { shown: string; path: string; options: RequestOptions; tls: 'tls' | 'plain' };

/** @throws WitnessError `address` */
export const parsePlace = (text: string): Place => {
  const socket = /^unix:(.+)$/.exec(text)?.[1];
  if (socket !== undefined)
    return { shown: text, path: '', options: { socketPath: socket, host: 'localhost' }, tls: 'plain' };
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '')
    throw new WitnessError(
      'address',
      `'${text}' is not http://HOST[:PORT][/PREFIX], https://… or unix:/path/of.sock`,
    );
  return {
    shown: text,
    path: url.pathname.replace(/\/+$/, ''),
    options: {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      ...(url.port === '' ? {} : { port: Number(url.port) }),
    },
    tls: url.protocol === 'https:' ? 'tls' : 'plain',
  };
};

export type Reply = { status: number; type: string; body: Buffer };

export type Ask = {
  place: Place;
  method: 'GET' | 'POST';
  path: string;
  body?: Buffer;
  /** Bytes that the reply may have. */
  maxReply: number;
  /** Milliseconds for all of it. */
  patience?: number;
  /** Gives the request up. */
  signal?: AbortSignal;
};

/** One request, bounded in bytes and in time; a redirection is not followed. @throws WitnessError `away`, `bad-answer` */
export const ask = ({
  place,
  method,
  path,
  body,
  maxReply,
  patience = 10_000,
  signal: ended,
}: Ask): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const away = (error: unknown): void =>
      reject(new WitnessError('away', `${method} ${place.shown}${path}: ${reason(error)}`, { cause: error }));
    const inTime = AbortSignal.timeout(patience);
    const signal = ended === undefined ? inTime : AbortSignal.any([ended, inTime]);
    const sent = (place.tls === 'tls' ? requestHttps : requestHttp)(
      {
        ...place.options,
        method,
        path: `${place.path}${path}`,
        signal,
        agent: false,
        headers: {
          accept: 'text/plain',
          ...(body === undefined
            ? {}
            : { 'content-length': body.length, 'content-type': 'text/plain; charset=utf-8' }),
        },
      },
      (reply) => {
        const chunks: Buffer[] = [];
        let length = 0;
        reply.on('data', (chunk: Buffer) => {
          length += chunk.length;
          chunks.push(chunk);
          if (length <= maxReply) return;
          reject(
            new WitnessError(
              'bad-answer',
              `${method} ${place.shown}${path}: more than ${maxReply} bytes came back`,
            ),
          );
          sent.destroy();
        });
        reply.on('error', away);
        reply.on('aborted', () => away(new Error('the connection ended within the answer')));
        reply.on('end', () =>
          resolve({
            status: reply.statusCode ?? 0,
            type: reply.headers['content-type'] ?? '',
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    sent.on('error', away);
    sent.end(body);
  });

/** The beginning of what somebody answered, in one line, for a message. */
export const excerpt = ({ body }: Reply): string => printable(body.subarray(0, 200).toString().trim());

const reason = (error: unknown): string =>
  error instanceof Error && error.name === 'AbortError' ? 'no answer in time' : messageOf(error);
