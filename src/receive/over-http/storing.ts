import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '#base/clock';
import { networkOf } from '#base/network';
import { Flag } from '#vault/record';
import type { IntakeWriter } from '#vault/intake';
import type { Ledger } from '../ledger.ts';
import type { FrameRun } from '../syslog/framing.ts';
import { openAnswers, type Answer } from './answer.ts';
import { bodyMeta, type BodyMeta } from './body-meta.ts';
import { whenOver, type Connection } from './connections.ts';
import { compressedBody, journalBody, linesBody, wholeBody, type Incoming } from './incoming.ts';
import type { HttpLimits } from './limits.ts';
import { growing, type BodyMemory, type Growing } from './memory.ts';
import type { Pace } from './pace.ts';
import { refusals, type Refusal } from './refusal.ts';
import type { Repeats } from './repeats.ts';
import { requestStore } from './request-store.ts';
import type { StoreRoute } from './routes.ts';

export type StoringOptions = {
  intake: IntakeWriter;
  clock: Clock;
  ledger: Ledger;
  memory: BodyMemory;
  repeats: Repeats;
  limits: HttpLimits;
  pace: Pace;
};

/** A request whose body is to be stored. */
export type ToStore = {
  request: IncomingMessage;
  response: ServerResponse;
  connection: Connection;
  route: StoreRoute;
  path: string;
  query: string;
  /** Of the listener. */
  name: string;
  /** The sender waits for `100 Continue` before it sends the body. */
  goAhead(): void;
};

/** What is to be said when it is durable; or why it is not stored; `null`: the connection is gone. */
export type Stored = { answer: Answer } | { refusal: Refusal } | null;

/** Stores what a request brings, and answers for it once it is durable. */
export const openStoring = (options: StoringOptions): ((given: ToStore) => Promise<Stored>) => {
  const { intake, clock, ledger, memory, repeats, limits, pace } = options;
  const answers = openAnswers();

  return async ({ request, response, connection, route, path, query, name, goAhead }) => {
    const { peer } = connection;
    const sender = peer.tlsName || networkOf(connection.address);
    const meta = bodyMeta(request, route.format, path, query);
    const way = wayOf(meta);
    if (way === 'whole' && Number(request.headers['content-length'] ?? 0) > limits.body)
      return { refusal: refusals.bodyTooLarge };
    const obstacle = await pace.calm();
    if (obstacle !== null) return { refusal: obstacle };
    goAhead();

    const held = growing(memory, sender);
    const storing = requestStore(intake, clock, name, peer, JSON.stringify(meta));
    /** What was stored first, where its sender gave nothing by which a repeated body can be told. */
    let first: { digest: string; flag: number } | null = null;
    /** All of a body that is not stored yet. */
    let whole: FrameRun | null = null;
    const judged = ({ pieces }: FrameRun): { digest: string; flag: number } => {
      const digest = repeats.digest(pieces);
      return { digest, flag: repeats.isPossible(sender, digest) ? Flag.possibleRedelivery : 0 };
    };
    const put = (run: FrameRun): void => {
      if (meta.key !== undefined || route.format === 'journal') return storing.take(run);
      first ??= judged(run);
      // A request comes again as a whole.
      storing.take({ ...run, flags: run.flags | first.flag });
    };
    const putWhole = (): void => {
      if (whole !== null) put(whole);
      whole = null;
    };
    const emit = (run: FrameRun): void => {
      if (way === 'whole') whole = run;
      else put(run);
    };
    const notAnEntry = (): void => ledger.lost('torn entry', name, 1, connection.address);
    const incoming = incomingFor(way, held, limits, emit, notAnEntry);
    let came: 'in part' | 'whole' | 'torn' = 'in part';
    const torn = (): void => {
      if (came !== 'in part') return;
      came = 'torn';
      incoming.torn();
    };
    const isTorn = (): boolean => came === 'torn';
    let outcome: 'answered' | 'not answered' = 'not answered';
    whenOver(connection, response, () => {
      // Of a connection that is cut the response says so first, and the request only later.
      torn();
      // All of it came: nobody needs to be told for it to be kept.
      putWhole();
      held.free();
      if (first === null) return;
      if (outcome === 'answered' && response.writableFinished) repeats.answered(sender);
      else repeats.unanswered(sender, first.digest);
    });

    const result = await pace.read(
      request,
      connection,
      incoming,
      route.format === 'journal' ? 'followed' : 'due',
    );
    if (result !== 'complete' || isTorn()) {
      torn();
      held.free();
      if (result !== 'complete' && result !== 'torn') return { refusal: result };
      if (!connection.isRefused) ledger.lost('torn body', name, 1, connection.address);
      return null;
    }
    came = 'whole';
    incoming.complete();
    const answer = await answers(route, { ...meta, body: () => whole?.pieces ?? [] });
    if ('refusal' in answer && !response.destroyed) {
      whole = null;
      held.free();
      return answer;
    }
    putWhole();
    await storing.durable();
    // Its sender may take its time over the answer.
    held.free();
    if (response.destroyed || 'refusal' in answer) return null;
    outcome = 'answered';
    return { answer };
  };
};

type Way = 'whole' | 'lines' | 'entries' | 'compressed entries';

/**
 * JSON may go over several lines, so what says that it is JSON is not cut at them. Nor is what has a key: that is one for
 * the whole body.
 */
const wayOf = ({ format, encoding, type, key }: BodyMeta): Way => {
  if (format === 'journal') return encoding === 'identity' ? 'entries' : 'compressed entries';
  return format === 'jsonl' &&
    encoding === 'identity' &&
    key === undefined &&
    !/^application\/json\b/i.test(type)
    ? 'lines'
    : 'whole';
};

const incomingFor = (
  way: Way,
  held: Growing,
  limits: HttpLimits,
  emit: (run: FrameRun) => void,
  notAnEntry: () => void,
): Incoming => {
  switch (way) {
    case 'whole':
      return wholeBody(held, limits, emit);
    case 'lines':
      return linesBody(held, limits, emit);
    case 'entries':
      return journalBody(held, limits, emit, notAnEntry);
    case 'compressed entries':
      return compressedBody(held, limits, emit);
  }
};
