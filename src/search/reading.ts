import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { onBehalf, onBehalfHeader, readerHeader, type OnBehalf, type ReadRecord } from '#wire/reader';
import { SearchError } from './errors.ts';
import { holdAnswer, type Lines } from './held-answer.ts';
import type { Readers } from './readers.ts';

/** What a read is answered with. `out` is its only way to the reader, so nothing goes out that is not recorded. */
export type Answering = (body: unknown, out: Lines, gone: AbortSignal) => Promise<void>;

/**
 * Keeps who read what in the log. Resolves when that is certain; only then does the answer go out.
 * @throws Error where it cannot be kept: then there is no answer
 */
export type RecordRead = (record: ReadRecord) => Promise<void>;

export type ReadRoutes = {
  /** Serves `POST path`, and records each call. */
  read(path: `/${string}`, answering: Answering): void;
  readonly paths: ReadonlySet<string>;
  /** Resolves when the end of all that was begun is recorded, or after `patience` milliseconds. */
  settled(patience: number): Promise<void>;
};

type Recording = { readers: Readers; record: RecordRead; clock: Clock; log: OwnLog };

/**
 * Routes that read lines. A short answer has one record, with the number of its lines; one that is long, takes long or
 * has no end has one before anything goes out, and one when it is over.
 */
export const readRoutes = (app: FastifyInstance, recording: Recording): ReadRoutes => {
  const running = new Set<Promise<unknown>>();
  const paths = new Set<string>();
  return {
    paths,
    read(path, answering) {
      paths.add(path);
      app.post(path, async (request, reply) => {
        const work = answerRecorded(path.slice(1), request, reply, answering, recording);
        running.add(work);
        try {
          await work;
        } finally {
          running.delete(work);
        }
      });
    },
    async settled(patience) {
      await Promise.race([Promise.allSettled(running), wait(patience, undefined, { ref: false })]);
    },
  };
};

const answerRecorded = async (
  route: string,
  request: FastifyRequest,
  reply: FastifyReply,
  answering: Answering,
  { readers, record, clock, log }: Recording,
): Promise<void> => {
  const uid = readers.uidOf(headerOf(request, readerHeader));
  const claimed = onBehalfOf(request);
  const started = clock.elapsed();
  const reading = randomBytes(6).toString('hex');
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());

  const keep = async (outcome: ReadRecord['outcome'], lines: number, parts: 'one' | 'two'): Promise<void> => {
    try {
      await record({
        uid,
        ...(claimed === null ? {} : { for: claimed }),
        read: route,
        asked: shortened(request.body),
        lines,
        ms: Math.round(clock.elapsed() - started),
        outcome,
        ...(parts === 'one' ? {} : { reading }),
      });
    } catch (cause) {
      const why = `this read cannot be recorded, so it is not answered: ${messageOf(cause)}`;
      throw new SearchError('unrecorded', why, { cause });
    }
  };

  const answer = holdAnswer(reply, () => keep('begun', 0, 'two'));
  let failure: { error: unknown } | null = null;
  try {
    await answering(request.body, answer, gone.signal);
  } catch (error) {
    failure = { error };
  }
  if (!(await answer.begun())) {
    if (failure !== null) {
      await keep('refused', 0, 'one');
      throw failure.error;
    }
    await keep(
      gone.signal.aborted ? 'reader left' : 'answered',
      gone.signal.aborted ? 0 : answer.lines(),
      'one',
    );
    answer.release();
    reply.raw.end();
    return;
  }
  try {
    const outcome = gone.signal.aborted ? 'reader left' : failure === null ? 'answered' : 'broke off';
    await keep(outcome, answer.lines(), 'two');
    if (failure !== null) throw failure.error;
    reply.raw.end();
  } catch (error) {
    log('warning', `${route}: the answer broke off: ${messageOf(error)}`);
    // Without an end, so that a part does not pass for the whole.
    reply.raw.destroy();
  }
};

const headerOf = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** @throws SearchError `bad-request` */
const onBehalfOf = (request: FastifyRequest): OnBehalf | null => {
  const given = headerOf(request, onBehalfHeader);
  if (given === undefined) return null;
  try {
    return onBehalf.parse(JSON.parse(given));
  } catch (cause) {
    throw new SearchError(
      'bad-request',
      `the header ${onBehalfHeader} is not of the form that is taken here`,
      {
        cause,
      },
    );
  }
};

const longestText = 4096;

const shortened = (value: unknown): unknown => {
  if (typeof value === 'string' && value.length > longestText)
    return `${value.slice(0, longestText)}… (${value.length} characters)`;
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shortened(inner)]));
};
