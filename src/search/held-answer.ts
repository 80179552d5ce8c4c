import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

/** Where the lines of an answer go: newline-delimited JSON. A line waits while the reader does not read. */
export type Lines = {
  /** A line of the log, or what is made of some: counted. */
  line(value: unknown): Promise<void>;
  /** What is said of the answer itself. */
  remark(value: unknown): Promise<void>;
  /** What is written goes out at once from here on: for answers that have no end. */
  open(): Promise<void>;
};

/** An answer of which nothing goes out before `begin` has resolved; one that is short and quick waits for its end. */
export type HeldAnswer = Lines & {
  /** Lines that went out, or would. */
  lines(): number;
  /** Whether something went out. Waits for a `begin` that is on its way. */
  begun(): Promise<boolean>;
  /** Sends what is held. */
  release(): void;
};

const holdMs = 250;
const holdBytes = 256 * 1024;

export const holdAnswer = (reply: FastifyReply, begin: () => Promise<void>): HeldAnswer => {
  const { raw: response } = reply;
  let held: string[] | null = [];
  let bytes = 0;
  let lines = 0;
  let opening: Promise<void> | null = null;
  let patience: NodeJS.Timeout | undefined;

  const release = (): void => {
    clearTimeout(patience);
    if (held === null) return;
    reply.hijack();
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    if (held.length === 0) response.flushHeaders();
    else response.write(held.join(''));
    held = null;
  };
  const open = (): Promise<void> => {
    clearTimeout(patience);
    opening ??= begin().then(release);
    return opening;
  };

  const write = async (value: unknown): Promise<void> => {
    const text = `${JSON.stringify(value)}\n`;
    if (held === null) {
      if (!response.write(text)) await drained(response);
      return;
    }
    // Until there is something to send, a refusal can still be one. Whoever writes next hears of a failure.
    patience ??= setTimeout(() => void open().catch(() => undefined), holdMs);
    held.push(text);
    bytes += text.length;
    if (opening !== null || bytes > holdBytes) await open();
  };
  const isGone = (): boolean => response.destroyed || response.writableEnded;

  return {
    open,
    release,
    lines: () => lines,
    async begun() {
      clearTimeout(patience);
      await opening?.catch(() => undefined);
      return held === null;
    },
    async line(value) {
      if (isGone()) return;
      lines += 1;
      await write(value);
    },
    async remark(value) {
      if (!isGone()) await write(value);
    },
  };
};

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
