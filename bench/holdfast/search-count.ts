import { request } from 'node:http';
import type { StateDirectory } from '#base/state';
import { answerChallenge, readerChallenge, readerHeader } from '#wire/reader';
import { answer, health, type SearchRequest } from '#wire/search';
import type { Corpus } from '../corpus/corpus.ts';
import { timeOfLine } from '../corpus/line-time.ts';
import { BenchError } from '../errors.ts';
import { waitUntil } from '../run/wait.ts';

/** Until `GET /health` says that as many lines are indexed as were sent. */
export const waitUntilSearchable = (state: StateDirectory, corpus: Corpus): Promise<void> =>
  waitUntil('search to have everything', 20, 600_000, async () => {
    const { lines } = health.parse(JSON.parse(await call(state, 'GET', '/health')));
    return lines >= corpus.lines;
  });

const slices = 20;

/** Asks search itself whether it finds every line now. @throws BenchError `wrong-count` */
export const checkTotal = (state: StateDirectory, corpus: Corpus): Promise<void> =>
  expectHits(state, '', corpus.lines);

/**
 * Asks search for what is known of the corpus: the rare token has its few lines, and each twentieth of the corpus's time
 * has exactly its lines.
 * @throws BenchError `wrong-count`
 */
export const checkSearch = async (state: StateDirectory, corpus: Corpus): Promise<void> => {
  await expectHits(state, corpus.rare.token, corpus.rare.lines);
  for (let slice = 0; slice < slices; slice += 1) {
    const from = Math.floor((corpus.lines * slice) / slices);
    const to = Math.floor((corpus.lines * (slice + 1)) / slices);
    await expectHits(state, `since:${timeOfLine(from, 0)} until:${timeOfLine(to, 0)}`, to - from);
  }
  await checkTotal(state, corpus);
};

const expectHits = async (state: StateDirectory, query: string, lines: number): Promise<void> => {
  const found = await countHits(state, query);
  if (found !== lines)
    throw new BenchError('wrong-count', `search '${query}' counts ${found} lines, and there are ${lines}`);
};

const countHits = async (state: StateDirectory, query: string): Promise<number> => {
  const body: SearchRequest = { query, limit: 0 };
  const text = await call(state, 'POST', '/search', JSON.stringify(body));
  return answer.parse(JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')).answer.count;
};

/** What stands for this process, by the socket that it was shown on. */
const readers = new Map<string, string>();

/** Whatever is posted is a read, and says who reads. @throws BenchError `failed` for any status but 200 */
export const call = async (
  state: StateDirectory,
  method: 'GET' | 'POST',
  path: string,
  body?: string,
): Promise<string> => {
  if (method === 'GET') return ask(state, method, path, body, {});
  const known = readers.get(state.searchSocket);
  try {
    return await ask(state, method, path, body, { [readerHeader]: known ?? (await show(state)) });
  } catch (error) {
    // Search may have been started again, and know nobody then.
    readers.delete(state.searchSocket);
    if (known === undefined) throw error;
    return ask(state, method, path, body, { [readerHeader]: await show(state) });
  }
};

const show = async (state: StateDirectory): Promise<string> => {
  const challenge = readerChallenge.parse(JSON.parse(await ask(state, 'POST', '/reader', undefined, {})));
  answerChallenge(challenge);
  readers.set(state.searchSocket, challenge.text);
  return challenge.text;
};

const ask = (
  state: StateDirectory,
  method: 'GET' | 'POST',
  path: string,
  body: string | undefined,
  more: Record<string, string>,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const fail = (what: string): void =>
      reject(new BenchError('failed', `${method} ${path} on ${state.searchSocket}: ${what}`));
    const sent = request(
      {
        socketPath: state.searchSocket,
        method,
        path,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', (error) => fail(error.message));
        response.on('end', () =>
          response.statusCode === 200 ? resolve(text) : fail(`${response.statusCode} ${text}`),
        );
      },
    );
    sent.on('error', (error) => fail(error.message));
    sent.end(body);
  });
