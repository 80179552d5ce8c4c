import type {
  AlertState,
  Answer,
  ApiError,
  AuditAnswer,
  BrowseAnswer,
  CountsAnswer,
  FieldsAnswer,
  Hit,
  PatternsAnswer,
  SavedAnswer,
  SenderFigures,
  Source,
  Status,
} from './wire.ts';

/** What the console's API said instead of an answer. `status` 0 = the console itself was not reached. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: number;
  readonly code: string;
  readonly column: number | null;
  readonly suggestion: string | null;

  constructor(status: number, error: ApiError['error']) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.column = error.column;
    this.suggestion = error.suggestion;
  }
}

const plain = (code: string, message: string): ApiError['error'] => ({
  code,
  message,
  column: null,
  suggestion: null,
});

const ask = async (path: string, init: RequestInit): Promise<string> => {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin' });
    text = await response.text();
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new ApiFailure(
      0,
      plain('console-away', 'The console does not answer. Is "holdfast up" still running?'),
    );
  }
  if (response.ok) return text;
  throw new ApiFailure(
    response.status,
    errorIn(text) ?? plain('internal', `The console answered ${response.status}.`),
  );
};

const errorIn = (text: string): ApiError['error'] | null => {
  try {
    const body: Partial<ApiError> = JSON.parse(text);
    return body.error ?? null;
  } catch {
    return null;
  }
};

/** Asks with a JSON body, which is recorded in the log as a read. */
const post = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> =>
  ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  }).then((text) => JSON.parse(text));

export type Found = { hits: Hit[]; answer: Answer['answer'] };

/** How many of the newest hits a search brings. */
export const searchLimit = 1_000;

/** Searches. A broken-off answer is a failure, never a shorter answer. */
export const searchLog = async (query: string, signal: AbortSignal, limit = searchLimit): Promise<Found> => {
  const text = await ask('/api/search', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, limit, total: 'skip' }),
    signal,
  });
  const hits: Hit[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const parsed: Hit | Answer | ApiError = JSON.parse(line);
    if ('error' in parsed) throw new ApiFailure(503, parsed.error);
    if ('answer' in parsed) return { hits, answer: parsed.answer };
    hits.push(parsed);
  }
  throw new ApiFailure(503, plain('search-away', 'The answer broke off. Search again.'));
};

/** Bars of the histogram, at most. */
const mostBars = 90;
/** Groups that a page shows. */
const mostGroups = 200;

/** Counts what matches, in all and over time. */
export const countLog = (query: string, signal: AbortSignal): Promise<CountsAnswer> =>
  post('/api/counts', { query, bars: mostBars }, signal);
export const countLogBy = (query: string, by: string[], signal: AbortSignal): Promise<CountsAnswer> =>
  post('/api/counts', { query, by, top: mostGroups }, signal);

export const fetchPatterns = (
  query: string,
  newSince: string | null,
  signal: AbortSignal,
): Promise<PatternsAnswer> => post('/api/patterns', { query, newSince }, signal);
export const fetchFields = (query: string, signal: AbortSignal): Promise<FieldsAnswer> =>
  post('/api/fields', { query, values: 10 }, signal);
export const fetchBranches = (path: string, signal: AbortSignal): Promise<BrowseAnswer> =>
  post('/api/browse', { path }, signal);
/** Where the browser downloads the file of a whole path. */
export const leafAddress = (path: string): string => `/api/leaf?${new URLSearchParams({ path })}`;

export const fetchSaved = (signal: AbortSignal): Promise<SavedAnswer> => post('/api/saved', {}, signal);
export const saveSearch = (name: string, query: string): Promise<unknown> =>
  post('/api/save', { name, query });
export const forgetSearch = (name: string): Promise<unknown> => post('/api/forget', { name });
export const fetchAlerts = (signal: AbortSignal): Promise<AlertState[]> => post('/api/alerts', {}, signal);

export const fetchStatus = async (signal: AbortSignal): Promise<Status> =>
  JSON.parse(await ask('/api/status', { signal }));
export const fetchAudit = async (signal: AbortSignal): Promise<AuditAnswer> =>
  JSON.parse(await ask('/api/audit', { signal }));
export const fetchSources = async (signal: AbortSignal): Promise<Source[]> =>
  JSON.parse(await ask('/api/sources', { signal }));
export const fetchSenders = async (signal: AbortSignal): Promise<SenderFigures[]> =>
  JSON.parse(await ask('/api/senders', { signal }));
