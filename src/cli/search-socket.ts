import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { messageOf, systemCode } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { text as textOf } from 'node:stream/consumers';
import { answerChallenge, onBehalfHeader, readerChallenge, readerHeader } from '#wire/reader';
import { searchError } from '#wire/search';
import { caretBelow } from './caret.ts';
import { CliError } from './errors.ts';
import { loggedIn } from './logged-in.ts';

// An import would make Node load its WebSocket and fetch too, which takes longer than all the rest of a command's start.
const { request } = process.getBuiltinModule('node:http');

/**
 * One call to the indexer over run/search.sock. What is posted is a read: it says who reads, and is recorded.
 * @returns the lines of its NDJSON (or JSON) answer, as they come
 * @throws CliError `not-running`, `usage` (a mistake in the query, shown with a caret), `refused`
 */
export const callSearch = async function* (
  state: StateDirectory,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): AsyncGenerator<unknown> {
  const ask = async (): Promise<IncomingMessage> =>
    open(state, method, path, body, method === 'POST' ? await proofFor(state) : {});
  let response = await ask();
  if (response.statusCode === unproven) {
    // The indexer has begun anew since this process showed who reads.
    response.resume();
    proofs.delete(state.searchSocket);
    response = await ask();
  }
  if (response.statusCode !== 200) throw await refusal(response, body);
  try {
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      if (line !== '') yield JSON.parse(line);
    }
  } catch (error) {
    throw new CliError('not-running', `the answer of the indexer broke off: ${messageOf(error)}`, {
      cause: error,
    });
  }
};

const unproven = 401;

const proofs = new Map<string, Record<string, string>>();

/** Headers that say who reads: shown once in the life of this process. */
const proofFor = async (state: StateDirectory): Promise<Record<string, string>> => {
  const known = proofs.get(state.searchSocket) ?? (await proof(state));
  proofs.set(state.searchSocket, known);
  return known;
};

/** @throws CliError `not-running`, `refused` */
const proof = async (state: StateDirectory): Promise<Record<string, string>> => {
  const response = await open(state, 'POST', '/reader', undefined, {});
  if (response.statusCode !== 200) throw await refusal(response, undefined);
  const challenge = readerChallenge.parse(JSON.parse(await textOf(response)));
  try {
    answerChallenge(challenge);
  } catch (error) {
    throw new CliError(
      'not-running',
      `search has to be shown who reads, and that cannot be done: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
  const who = loggedIn(process.env);
  return {
    [readerHeader]: challenge.text,
    ...(Object.keys(who).length === 0 ? {} : { [onBehalfHeader]: JSON.stringify(who) }),
  };
};

const open = async (
  state: StateDirectory,
  method: string,
  path: string,
  body: unknown,
  more: Record<string, string>,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: state.searchSocket,
        method,
        path,
        headers: {
          host: 'holdfast',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...more,
        },
      },
      resolve,
    );
    outgoing.on('error', (error) => {
      const code = systemCode(error);
      const why =
        code === 'EACCES'
          ? `${state.searchSocket} does not let you in: run this as the user who started Holdfast`
          : `nothing answers on ${state.searchSocket}: start Holdfast with 'holdfast up' (or name its state directory with --state); if it runs, its indexer is being started again: ask once more in some seconds`;
      reject(
        new CliError(
          'not-running',
          code === 'EACCES' || code === 'ENOENT' || code === 'ECONNREFUSED' ? why : messageOf(error),
          { cause: error },
        ),
      );
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });

const refusal = async (response: IncomingMessage, body: unknown): Promise<CliError> => {
  let said = '';
  for await (const chunk of response.setEncoding('utf8')) said += String(chunk);
  const parsed = searchError.safeParse(parseOrNull(said));
  if (!parsed.success)
    return new CliError('refused', `the indexer answered ${response.statusCode}: ${said.slice(0, 500)}`);
  const { code, message, column, suggestion } = parsed.data.error;
  if (code !== 'bad-query' && code !== 'bad-request') return new CliError('refused', message);
  const caret = column === null ? '' : caretBelow(askedIn(body), column);
  return new CliError('usage', `${message}${caret}${suggestion === null ? '' : `\n${suggestion}`}`);
};

/** What was typed: a query, SQL or a path. */
const askedIn = (body: unknown): string => {
  const asked = z
    .object({ query: z.string() })
    .or(z.object({ sql: z.string() }))
    .or(z.object({ path: z.string() }));
  const parsed = asked.safeParse(body);
  return parsed.success ? (Object.values(parsed.data)[0] ?? '') : '';
};

const parseOrNull = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
