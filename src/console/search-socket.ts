import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import { messageOf } from '#base/errors';
import { answerChallenge, onBehalfHeader, readerChallenge, readerHeader, type OnBehalf } from '#wire/reader';
import { searchError } from '#wire/search';
import { ConsoleError } from './errors.ts';

/** The console's way to search: HTTP over `run/search.sock`, as `src/wire/search.ts` describes it. */
export type SearchSocket = {
  /**
   * One JSON answer.
   * @throws ConsoleError search-away, search-refused, search-garbled
   */
  json<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  /**
   * A read, recorded for `who`: an NDJSON answer, parsed line by line as it is read; slow readers slow the sender down.
   * Resolves when search has accepted the query, so that its refusal can still become an HTTP status.
   * @throws ConsoleError search-away, search-refused, search-garbled (also from the iterator)
   */
  lines(path: string, body: unknown, who: OnBehalf, signal: AbortSignal): Promise<AsyncIterable<unknown>>;
};

const jsonTimeoutMs = 5_000;

export const openSearchSocket = (socketPath: string): SearchSocket => {
  const away = (error: unknown): ConsoleError =>
    new ConsoleError(
      'search-away',
      `search does not answer on ${socketPath} (${messageOf(error)}); is the indexer running?`,
      { cause: error },
    );

  const ask = async (
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    signal: AbortSignal,
    more: Record<string, string> = {},
  ): Promise<IncomingMessage> => {
    let response: IncomingMessage;
    try {
      response = await new Promise<IncomingMessage>((resolve, reject) => {
        const headers = {
          host: 'search',
          ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
          ...more,
        };
        const outgoing = request({ socketPath, method, path, headers, signal, agent: false }, resolve);
        outgoing.on('error', reject);
        outgoing.end(method === 'POST' ? JSON.stringify(body) : undefined);
      });
    } catch (error) {
      throw away(error);
    }
    if (response.statusCode === 200) return response;
    throw await refusal(response);
  };

  /** What stands for this process until search is started again. */
  let reader: string | null = null;
  const showWhoReads = async (signal: AbortSignal): Promise<string> => {
    const response = await ask('POST', '/reader', {}, signal);
    const challenge = readerChallenge.parse(JSON.parse(await text(response)));
    answerChallenge(challenge);
    return challenge.text;
  };

  return {
    async json(path, schema) {
      const response = await ask('GET', path, null, AbortSignal.timeout(jsonTimeoutMs));
      let answer: unknown;
      try {
        answer = JSON.parse(await text(response));
      } catch (error) {
        throw response.complete ? garbled(path, error) : away(error);
      }
      const parsed = schema.safeParse(answer);
      if (!parsed.success) throw garbled(path, parsed.error);
      return parsed.data;
    },
    async lines(path, body, who, signal) {
      const read = async (): Promise<IncomingMessage> => {
        reader ??= await showWhoReads(signal);
        return ask('POST', path, body, signal, {
          [readerHeader]: reader,
          [onBehalfHeader]: JSON.stringify(who),
        });
      };
      try {
        return readLines(await read(), path, away);
      } catch (error) {
        if (!(error instanceof ConsoleError) || error.refusal?.error.code !== 'unproven') throw error;
        reader = null;
        return readLines(await read(), path, away);
      }
    },
  };
};

const garbled = (path: string, cause: unknown): ConsoleError =>
  new ConsoleError(
    'search-garbled',
    `search's answer to ${path} is not what this console expects; are both of the same version?`,
    {
      cause,
    },
  );

const refusal = async (response: IncomingMessage): Promise<ConsoleError> => {
  const status = response.statusCode ?? 500;
  try {
    const { error } = searchError.parse(JSON.parse(await text(response)));
    return new ConsoleError('search-refused', error.message, { refusal: { status, error } });
  } catch (error) {
    return garbled(`(status ${status})`, error);
  }
};

/** A line holds one log line three times over at most (message, fields, base64), and those end at some megabytes. */
const longestLine = 64 * 1024 * 1024;

async function* readLines(
  response: IncomingMessage,
  path: string,
  away: (error: unknown) => ConsoleError,
): AsyncGenerator<unknown, void, undefined> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  const chunks: AsyncIterable<Buffer> = response;
  try {
    for await (const chunk of chunks) {
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        const line = Buffer.concat([...held, chunk.subarray(from, at)]);
        held = [];
        heldBytes = 0;
        from = at + 1;
        if (line.length > 0) yield parseLine(line, path);
      }
      if (from < chunk.length) {
        held.push(chunk.subarray(from));
        heldBytes += chunk.length - from;
        if (heldBytes > longestLine)
          throw garbled(path, new RangeError(`a line of more than ${longestLine} bytes`));
      }
    }
  } catch (error) {
    throw error instanceof ConsoleError ? error : away(error);
  }
  if (heldBytes > 0) throw away(new Error('it ended in the middle of a line'));
}

const parseLine = (line: Buffer, path: string): unknown => {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch (error) {
    throw garbled(path, error);
  }
};
