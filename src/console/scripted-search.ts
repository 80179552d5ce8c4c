import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Counts } from '#wire/counts';
import type { Answer, Health, Hit, SearchError, SenderFigures, Source } from '#wire/search';

type Freshness = Answer['answer']['freshness'];

/**
 * A search server for tests, on a real unix socket and with the protocol of `src/wire/search.ts`: what it holds is
 * what the test put in, so that it can send what no well-behaved search would.
 */
export type ScriptedSearch = {
  /** Lines that a search finds (those whose message contains the query), oldest first. */
  hits: Hit[];
  senders: SenderFigures[];
  /** What answers say of it. */
  freshness: Freshness;
  /** What a path answers, beside searches, counts and tails: its lines. */
  answers: Map<string, (body: unknown) => readonly unknown[]>;
  /** Answers every further search and tail with this. */
  refuse(status: number, error: SearchError['error'] | null): void;
  /** Sends a line to all that follow, as it stands. */
  toTails(line: unknown): void;
  tails(): number;
  /** Ends searches after this many lines, without an answer; `null` = whole answers again. */
  breakOffAfter(lines: number | null): void;
  stop(): Promise<void>;
};

export const startScriptedSearch = async (socketPath: string): Promise<ScriptedSearch> => {
  const directory = dirname(socketPath);
  const hits: Hit[] = [];
  const senders: SenderFigures[] = [];
  const answers: ScriptedSearch['answers'] = new Map();
  const said: { freshness: Freshness } = {
    freshness: { verdict: 'unknown', detail: 'no witness is configured' },
  };
  const tails = new Set<ServerResponse>();
  let refusal: { status: number; error: SearchError['error'] } | null = null;
  let breakOff: number | null = null;

  const search = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body: { query: string; limit?: number; total?: string } = JSON.parse(await text(request));
    const matching = hits.filter((hit) => hit.message.includes(body.query));
    const limit = body.limit ?? 100;
    const sent = matching.slice(-limit);
    for (const [index, hit] of sent.entries()) {
      if (index === breakOff) {
        response.destroy();
        return;
      }
      response.write(`${JSON.stringify(hit)}\n`);
    }
    const { answer } = answerFor(matching.length, said.freshness);
    const more: Answer['answer'] =
      body.total === 'skip' && matching.length > limit
        ? { ...answer, count: limit + 1, countIs: 'at least' }
        : answer;
    response.end(`${JSON.stringify({ answer: more })}\n`);
  };

  const count = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { query, by = [] }: { query: string; by?: string[] } = JSON.parse(await text(request));
    const matching = hits.filter((hit) => hit.message.includes(query));
    response.write(`${JSON.stringify(countsOf(matching, by))}\n`);
    response.end(`${JSON.stringify(answerFor(matching.length, said.freshness))}\n`);
  };

  const server = createServer((request, response) => {
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.url === '/sources') return json(200, sourcesOf(hits));
    if (request.url === '/senders') return json(200, senders);
    if (request.url === '/reader')
      return json(200, { path: join(directory, randomUUID()), text: randomUUID() });
    if (request.url === '/health') return json(200, healthOf(hits));
    if (refusal !== null) return json(refusal.status, { error: refusal.error });
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    if (request.url === '/search') return void search(request, response);
    if (request.url === '/counts') return void count(request, response);
    const scripted = answers.get(request.url ?? '');
    if (scripted !== undefined)
      return void text(request).then((body) => {
        const lines = scripted(JSON.parse(body)).map((line) => `${JSON.stringify(line)}\n`);
        response.end(lines.join(''));
      });
    response.flushHeaders();
    tails.add(response);
    response.on('close', () => tails.delete(response));
    request.resume();
  });
  server.listen(socketPath);
  await once(server, 'listening');

  return {
    hits,
    senders,
    answers,
    get freshness() {
      return said.freshness;
    },
    set freshness(freshness) {
      said.freshness = freshness;
    },
    refuse: (status, error) => (refusal = error === null ? null : { status, error }),
    toTails: (line) => tails.forEach((tail) => tail.write(`${JSON.stringify(line)}\n`)),
    tails: () => tails.size,
    breakOffAfter: (lines) => (breakOff = lines),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** A line as search sends it; name what matters to the test. */
export const sampleHit = (parts: Partial<Hit>): Hit => {
  const received = parts.received ?? '2026-05-12T03:00:00.000001Z';
  return {
    address: '1:1',
    claimed: received,
    received,
    committed: received,
    time: received,
    host: 'gull',
    source: '192.0.2.7:51234',
    app: 'sshd',
    pid: 812,
    facility: 'auth',
    severity: 'info',
    message: 'a line',
    fields: {},
    via: 'syslog-tcp',
    raw: Buffer.from(parts.message ?? 'a line').toString('base64'),
    ...parts,
  };
};

/** What is known of a sender; name what matters to the test. */
export const sampleSender = (parts: Partial<SenderFigures>): SenderFigures => ({
  sender: '192.0.2.7',
  names: [],
  via: ['syslog-tcp'],
  hosts: 1,
  lines: 12_345,
  first: '2026-05-12T03:00:00.000001Z',
  last: '2026-05-12T04:00:00.000001Z',
  lost: 0,
  torn: 0,
  refused: 0,
  heldBack: 0,
  mismatched: 0,
  causes: [],
  ...parts,
});

/** What an answer of so many lines is worth. */
export const answerFor = (count: number, freshness: Freshness): Answer => ({
  answer: {
    integrity: {
      verdict: 'unaltered',
      detail: 'every entry matched its checkpointed hash',
      indexed: 7,
      committed: 7,
    },
    completeness: { verdict: 'unknown', detail: 'syslog senders do not number their lines', gaps: [] },
    freshness,
    range: { since: null, until: null },
    count,
    elapsedMs: 4.2,
  },
});

/** One bar a minute, and groups by host. */
const countsOf = (hits: Hit[], by: string[]): Counts => {
  const minutes = Map.groupBy(hits, (hit) => `${hit.time.slice(0, 16)}:00.000000Z`);
  const hosts = Map.groupBy(hits, (hit) => hit.host);
  return {
    counts: {
      by,
      groups:
        by.length === 0 ? [] : [...hosts].map(([host, { length }]) => ({ values: [host], count: length })),
      others: { groups: 0, count: 0 },
      histogram: {
        step: 60,
        bars: [...minutes].map(([from, lines]) => ({
          from,
          count: lines.length,
          errors: lines.filter(({ severity }) => severity === 'err').length,
        })),
      },
    },
  };
};

const sourcesOf = (hits: Hit[]): Source[] => {
  const bySource = Map.groupBy(hits, (hit) => JSON.stringify([hit.host, hit.app, hit.source, hit.via]));
  return [...bySource.values()].flatMap((group) => {
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined) return [];
    const { host, app, source, via } = first;
    return [{ host, app, source, via, lines: group.length, first: first.time, last: last.time }];
  });
};

const healthOf = (hits: Hit[]): Health => ({
  indexed: 7,
  committed: 7,
  lines: hits.length,
  residentBytes: 412_000_000,
  trouble: null,
  reparsing: null,
});
