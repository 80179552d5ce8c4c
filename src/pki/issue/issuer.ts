import { setTimeout as sleep } from 'node:timers/promises';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import { lockFile, type FileLock } from '#base/file-lock';
import type { OwnLog } from '#base/own-log';
import { operatorRequest, passedOn, type OperatorAnswer, type passedBack } from '#wire/pki';
import type { z } from 'zod';
import { openBook, type BookEvent } from '../book/index.ts';
import { PkiError } from '../errors.ts';
import { openMailbox, type Asked, type Mailbox } from '../mailbox/index.ts';
import { openAuthority } from './authority.ts';
import { openGrants, type Granted, type Grants, type Refused } from './grant.ts';

export type IssuerOptions = {
  /** The issuer's alone: key, book, and what operators ask. */
  secret: string;
  issued: string;
  /** Where the receiver puts what hosts ask. */
  asked: string;
  /** SPKI of the receiver's key, base64. */
  serverKey: string;
  serverNames: readonly string[];
  clock: Clock;
  log: OwnLog;
  /** Number of the last event that is on its way into the log. */
  told: number;
  /** Brings events into the log: they reach it when it returns, however this process ends. */
  tell(events: readonly BookEvent[]): Promise<void>;
  /** It can serve no more. */
  onFault(error: unknown): void;
};

export type RunningIssuer = { stop(): Promise<void> };

const pollMs = 100;
const hourMs = 3_600_000;

/**
 * Answers requests for certificates, one at a time, until it is stopped. Has no network: what hosts ask, the receiver
 * puts into a directory.
 * @throws PkiError
 */
export const startIssuer = async (options: IssuerOptions): Promise<RunningIssuer> => {
  const { secret } = options;
  const requests = join(secret, 'requests');
  await mkdir(requests, { recursive: true, mode: 0o700 });
  const lock = await lockFile(join(secret, 'issuer.lock'), 5000);
  if (lock === null) throw new PkiError('already-running', `another issuer has the book in ${secret}`);
  try {
    return await serveFrom(options, requests, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
};

const serveFrom = async (
  options: IssuerOptions,
  requests: string,
  lock: FileLock,
): Promise<RunningIssuer> => {
  const { secret, clock, log, onFault } = options;
  const book = openBook(secret, clock);
  const authority = await openAuthority({
    ...options,
    book,
    serverKey: Buffer.from(options.serverKey, 'base64'),
  });
  const grants = openGrants(authority, book, clock);
  let told = options.told;
  const tell = async (): Promise<void> => {
    await options.tell(book.events.slice(told));
    told = book.events.length;
  };
  await tell();

  const operators = openMailbox(requests, { mode: 0o600, clock, log });
  const strangers = openMailbox(options.asked, { mode: 0o640, clock, log });
  const ended = new AbortController();
  let swept = clock.elapsed();

  const serve = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const hasServed =
        (await serveOne(operators, (one) => answerOperator(grants, one), tell)) ||
        (await serveOne(strangers, (one) => answerStranger(grants, one), tell));
      if (clock.elapsed() - swept > hourMs) {
        swept = clock.elapsed();
        await Promise.all([operators.sweep(), strangers.sweep()]);
        await authority.freshenServer();
        await authority.writeRevoked();
        await tell();
      }
      if (!hasServed) await sleep(pollMs);
    }
  };
  const serving = serve().catch((error: unknown) => {
    if (ended.signal.aborted) log('error', messageOf(error));
    else onFault(error);
  });

  return {
    async stop() {
      ended.abort();
      await serving;
      lock.release();
    },
  };
};

/** What was granted is told to the log before it is told to whoever asked. @returns whether there was one */
const serveOne = async (
  box: Mailbox,
  answer: (asked: Asked) => Promise<unknown>,
  tell: () => Promise<void>,
): Promise<boolean> => {
  const one = await box.next();
  if (one === null) return false;
  const said = await answer(one);
  await tell();
  await box.answer(one.id, Buffer.from(JSON.stringify(said)));
  return true;
};

const answerOperator = async (grants: Grants, { bytes }: Asked): Promise<OperatorAnswer> => {
  try {
    const request = operatorRequest.safeParse(JSON.parse(bytes?.toString('utf8') ?? ''));
    if (request.success) return await grants.operator(request.data);
    return {
      kind: 'refused',
      error: 'bad-request',
      message: request.error.issues[0]?.message ?? 'no request',
    };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: 'refused', error: 'bad-request', message: 'this is no request' };
  }
};

/** A line of JSON by the receiver, then the body as it came. */
const answerStranger = async (grants: Grants, { bytes }: Asked): Promise<z.infer<typeof passedBack>> => {
  const end = bytes?.indexOf(0x0a) ?? -1;
  const head = bytes === null || end < 0 ? null : headOf(bytes.subarray(0, end));
  if (bytes === null || head === null)
    return passBack({ refused: 'bad-request', message: 'this is no request' });
  const body = bytes.subarray(end + 1);
  return passBack(
    head.path === '/enrol' ? await grants.enrol(body, head.peer) : await grants.renew(body, head.peer),
  );
};

const headOf = (bytes: Buffer): z.infer<typeof passedOn> | null => {
  try {
    return passedOn.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return null;
  }
};

const passBack = (result: Granted | Refused): z.infer<typeof passedBack> =>
  'refused' in result
    ? {
        status: result.refused === 'bad-request' ? 400 : 403,
        body: `${JSON.stringify({ error: result.refused, message: result.message })}\n`,
        refused: result.refused,
      }
    : { status: 201, body: `${JSON.stringify(result.certified)}\n`, refused: null };
