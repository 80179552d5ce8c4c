import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Publisher } from '#witness';
import { maxResponse, timestampQuery, tokenOf } from './timestamp.ts';

export type StampingOptions = {
  /** @param signal gives up what is asked of it */
  publisher(signal: AbortSignal): Pick<Publisher, 'checkpoint'>;
  /** HTTP address of a time stamping authority (RFC 3161 §3.4). */
  authority: string;
  /** Milliseconds between two time stamps. */
  every: number;
  /** Hands a line in, and resolves when it is durable. */
  say(kind: string, fields: Record<string, unknown>): Promise<void>;
  log: OwnLog;
};

const patienceMs = 15_000;
/** Longest pause after a failure; the first is short, because the publisher may only just be starting. */
const retryMs = 60_000;
const soonMs = 1000;

/** Has the newest checkpoint stamped, at once and then again and again where it has changed. */
export const startStamping = (options: StampingOptions): { stop(): Promise<void> } => {
  const { publisher, authority, every, say, log } = options;
  const ending = new AbortController();
  let stamped = -1;
  let complained = '';
  let failures = 0;

  const once = async (): Promise<number> => {
    try {
      const { bytes, head } = await publisher(ending.signal).checkpoint();
      // An empty log is nothing to stamp, and has its first entry in a second.
      if (head.size === 0) return soonMs;
      if (head.size === stamped) return every;
      const token = await stamp(authority, bytes, ending.signal);
      await say('timestamp', {
        size: head.size,
        note: bytes.toString(),
        token: token.toString('base64'),
        authority,
      });
      stamped = head.size;
      failures = 0;
      if (complained !== '') log('info', `${authority} stamps again`);
      complained = '';
      return every;
    } catch (error) {
      if (ending.signal.aborted) return 0;
      const message = `no time stamp from ${authority}: ${messageOf(error)}; trying again`;
      if (message !== complained) log('warning', message);
      complained = message;
      failures += 1;
      return Math.min(every, retryMs, soonMs * 2 ** Math.min(failures - 1, 6));
    }
  };

  const loop = (async () => {
    while (!ending.signal.aborted) {
      const pause = await once();
      await wait(pause, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      ending.abort();
      await loop;
    },
  };
};

const stamp = async (authority: string, bytes: Buffer, ended: AbortSignal): Promise<Buffer> => {
  const asked = timestampQuery(bytes, randomBytes(8));
  const response = await fetch(authority, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query' },
    body: new Uint8Array(asked.query),
    redirect: 'error',
    signal: AbortSignal.any([ended, AbortSignal.timeout(patienceMs)]),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return tokenOf(await bounded(response), asked);
};

/** The body, as far as a response can be long. */
const bounded = async (response: Response): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > maxResponse) throw new Error(`more than ${maxResponse} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
};
