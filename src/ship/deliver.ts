import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { hello, type LineMeta } from '#wire/own';
import { keepConnection } from './connection.ts';
import { localReceiver, type Destination } from './destination.ts';
import { ShipError } from './errors.ts';
import { inParts, selfLine, type CursorChanges, type Line } from './line.ts';
import { openSpool } from './spool/spool.ts';

/** The way of a process's own lines, and of what it reads elsewhere, into the log. */
export type Deliverer = {
  /** The stream in the records: the name that was asked for and an id of the spool, e.g. `agent-0f3a…`. */
  readonly stream: string;
  /**
   * Sends one line that has no source to be read again. Resolves when the line is durable in the spool: from then on
   * it reaches the log, exactly once in search. Need not be awaited; a refusal is also in the process's own log.
   * @throws ShipError `spool-full`, `closed`, `spool-broken`
   */
  send(meta: LineMeta, raw: Uint8Array): Promise<void>;
  /**
   * Keeps lines and the positions of their sources in one step. Waits while the spool is full, so that a source
   * stops reading instead of losing. Resolves when durable; from then on the lines are never asked for again.
   * @throws ShipError `closed`, `spool-broken`
   */
  put(lines: readonly Line[], cursors: CursorChanges): Promise<void>;
  /** Positions that are durable, by source. */
  readonly cursors: ReadonlyMap<string, unknown>;
  /** What waits for the receiver. */
  backlog(): { lines: number; bytes: number; connected: boolean; full: boolean };
  /** Takes nothing more, waits up to `patience` milliseconds for acknowledgements, closes. */
  close(patience: number): Promise<void>;
};

type Waiting = {
  lines: readonly Line[];
  cursors: CursorChanges;
  kept(): void;
  refused(error: unknown): void;
};

const mebibyte = 1024 * 1024;
const groupBytes = 4 * mebibyte;

/**
 * Opens the spool and keeps a connection to the receiver. Numbers run from 1 without a hole and belong to the spool:
 * however its process ends, a number is never given to two lines, and a line never gets two.
 *
 * @param options.spool a directory of this process alone; made if missing
 * @param options.limit bytes the spool may take (default 256 MiB); `send` may go 1/16 beyond
 * @throws ShipError `spool-locked`, `spool-damaged`, `spool-broken`
 */
export const connectOwn = async (options: {
  /** Path of `run/own.sock`, or a receiver elsewhere. */
  socket: string | Destination;
  sender: string;
  stream: string;
  spool: string;
  clock: Clock;
  log: OwnLog;
  limit?: number;
}): Promise<Deliverer> => {
  const { clock, log } = options;
  const to = typeof options.socket === 'string' ? localReceiver(options.socket) : options.socket;
  const limit = options.limit ?? 256 * mebibyte;
  const segmentBytes = Math.min(8 * mebibyte, Math.ceil(limit / 8));
  const spool = await openSpool({ directory: options.spool, stream: options.stream, segmentBytes, log });

  let closed = false;
  let fault: unknown = null;
  let waiting: Waiting[] = [];
  let pumping: Promise<void> | null = null;
  const watchers = new Set<() => void>();

  const progress = (): void => {
    for (const resolve of watchers) resolve();
  };
  const nextProgress = (patience: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, patience);
      watchers.add(done);
    });
  // A segment that is still written to is not freed, so bytes alone say nothing once all is acknowledged.
  const isFull = (beyond: number): boolean =>
    spool.bytes() >= limit + beyond && spool.last() > spool.acknowledged();

  const onFault = (error: unknown): void => {
    if (fault === null) log('error', messageOf(error));
    fault ??= error;
    const refused = waiting;
    waiting = [];
    for (const entry of refused) entry.refused(error);
    progress();
  };

  const connection = keepConnection({
    to,
    hello: hello.parse({ sender: options.sender, stream: spool.stream }),
    spool,
    log,
    async onAcknowledged(through) {
      await spool.acknowledge(through);
      progress();
    },
    onFault,
  });

  const takeGroup = (): Waiting[] => {
    let bytes = 0;
    let count = 0;
    for (const entry of waiting) {
      bytes += entry.lines.reduce((sum, line) => sum + line.raw.length, 0);
      if (count > 0 && bytes > groupBytes) break;
      count += 1;
    }
    return waiting.splice(0, count);
  };

  const appendWithPatience = async (lines: Line[], cursors: CursorChanges): Promise<void> => {
    for (let said = false; ; said = true) {
      try {
        return await spool.append(lines, cursors);
      } catch (error) {
        if (!(error instanceof ShipError) || error.code !== 'no-space' || closed) throw error;
        if (!said) log('error', `${messageOf(error)}; reading stops until then`);
        await nextProgress(1000);
      }
    }
  };

  const pump = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = takeGroup();
      try {
        await appendWithPatience(
          group.flatMap((entry) => [...entry.lines]),
          Object.assign({}, ...group.map((entry) => entry.cursors)),
        );
        for (const entry of group) entry.kept();
        connection.wake();
      } catch (error) {
        for (const entry of group) entry.refused(error);
        onFault(error);
      }
    }
  };

  const enqueue = (lines: readonly Line[], cursors: CursorChanges): Promise<void> =>
    new Promise((kept, refused) => {
      waiting.push({ lines, cursors, kept, refused });
      pumping ??= pump().finally(() => (pumping = null));
    });

  const refusal = (): unknown =>
    fault ?? (closed ? new ShipError('closed', 'the deliverer is closed; the line was not taken') : null);

  const deliverer: Deliverer = {
    stream: spool.stream,
    cursors: spool.cursors,
    send(meta, raw) {
      const attempt = async (): Promise<void> => {
        if (refusal() !== null) throw refusal();
        if (isFull(limit / 16)) {
          throw new ShipError(
            'spool-full',
            `${options.spool} holds ${spool.bytes()} bytes that the receiver at ${to.shown} has not acknowledged; a ${meta.via} line was refused. Bring the receiver back`,
          );
        }
        await enqueue(inParts({ meta, raw }), {});
      };
      const kept = attempt();
      kept.catch((error: unknown) => {
        if (fault === null) log('error', `not sent: ${messageOf(error)}`);
      });
      return kept;
    },
    async put(lines, cursors) {
      while (isFull(0) && refusal() === null) await nextProgress(1000);
      if (refusal() !== null) throw refusal();
      await enqueue(
        lines.flatMap((line) => inParts(line)),
        cursors,
      );
    },
    backlog: () => ({
      lines: spool.last() - spool.acknowledged(),
      bytes: spool.bytes(),
      connected: connection.connected(),
      full: isFull(0),
    }),
    async close(patience) {
      if (closed) return;
      closed = true;
      progress();
      await pumping;
      const until = clock.elapsed() + patience;
      for (;;) {
        const left = until - clock.elapsed();
        if (fault !== null || left <= 0 || spool.acknowledged() >= spool.last()) break;
        await nextProgress(left);
      }
      await connection.close();
      // What is acknowledged by now need not be sent again after the next start.
      if (fault === null)
        await spool.append([], {}).catch((error: unknown) => log('warning', messageOf(error)));
      await spool.close();
    },
  };

  for (const gap of spool.gaps) {
    log('error', `the medium damaged ${options.spool}: lines ${gap.first} to ${gap.last} are lost`);
    const { meta, raw } = selfLine(clock, 'loss', {
      via: 'self',
      cause: 'the spool was damaged',
      stream: spool.stream,
      ...gap,
    });
    deliverer.send(meta, raw).catch(() => undefined);
  }
  return deliverer;
};
