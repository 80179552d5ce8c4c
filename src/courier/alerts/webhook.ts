import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { printable } from '#base/printable';
import type { NotifyTarget, Notification } from '#wire/alert';
import { webhookAddress } from '#wire/webhook-address';
import { readSecret } from './secret.ts';

type Webhook = Extract<NotifyTarget['how'], { by: 'webhook' }>;

/** Of an answer that says why it was not taken. */
const longestAnswer = 300;

/** `t=<seconds since the epoch>,v1=<hex of HMAC-SHA-256 over "<t>.<body>">` */
export const signature = (secret: string, seconds: number, body: string): string =>
  `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;

const addressOf = ({ url }: Webhook): URL => {
  const isFile = !url.includes('://');
  const address = webhookAddress(isFile ? readSecret(url).trim() : url);
  if ('url' in address) return address.url;
  throw new Error(isFile ? `the address in ${url} ${address.wrong}` : `the address ${address.wrong}`);
};

/**
 * Posts a notification as JSON. Any status 2xx is word that it was taken; a redirect is not followed: it would lead what
 * the log says to somewhere that nobody configured.
 * @param seconds now, since the epoch
 * @throws Error what the server, or the way to it, said
 */
export const postWebhook = async (
  how: Webhook,
  notification: Notification,
  seconds: number,
): Promise<void> => {
  const body = JSON.stringify(notification);
  const url = addressOf(how);
  const options: RequestOptions = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'holdfast',
      'holdfast-delivery': notification.id,
      ...(how.secretFile === null
        ? {}
        : { 'holdfast-signature': signature(readSecret(how.secretFile), seconds, body) }),
    },
    signal: AbortSignal.timeout(how.timeout * 1000),
  };
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const outgoing =
      url.protocol === 'https:'
        ? requestHttps(url, {
            ...options,
            agent: false,
            minVersion: 'TLSv1.2',
            ...(how.caFile === null ? {} : { ca: readFileSync(how.caFile) }),
          })
        : requestHttp(url, { ...options, agent: false });
    outgoing.on('error', (error) =>
      reject(error.name === 'AbortError' ? new Error(`no answer within ${how.timeout} s`) : error),
    );
    outgoing.on('response', (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        answer = `${answer}${chunk}`.slice(0, longestAnswer);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: answer }));
    });
    outgoing.end(body);
  });
  if (status >= 200 && status < 300) return;
  const said = text.trim() === '' ? '' : `: ${printable(text.trim().replace(/\s+/g, ' '))}`;
  throw new Error(
    status >= 300 && status < 400
      ? `status ${status}: redirects are not followed`
      : `status ${status}${said}`,
  );
};
