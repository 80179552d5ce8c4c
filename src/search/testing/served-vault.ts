import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { openIndex, utc, vaultSource, type Index, type IndexOptions, type KeyReader } from '#index';
import { answerChallenge, readerChallenge, readerHeader, type ReadRecord } from '#wire/reader';
import { answer as answerSchema, hit as hitSchema, type Answer, type Hit } from '#wire/search';
import { growVault, type GrownVault, type TestLine } from '../../index/testing/grown-vault.ts';
import { startSearchServer } from '../server.ts';

/** A real vault, its index, and search over a socket, as the indexer process puts them together. */
export type ServedVault = {
  grown: GrownVault;
  index: Index;
  socket: string;
  call(method: string, path: string, body?: unknown): Promise<IncomingMessage>;
  find(query: string, more?: Record<string, unknown>): Promise<{ hits: Hit[]; answer: Answer['answer'] }>;
  /** Records of reads, in their order. */
  reads: ReadRecord[];
  /** As `call`, without showing who reads. */
  callUnproven(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<IncomingMessage>;
  /** Commits lines and waits until they are searchable. @returns their entry */
  add(lines: TestLine[]): Promise<number>;
  remove(): Promise<void>;
};

export const serveVault = async (
  lines: TestLine[],
  options: Partial<IndexOptions> & { readKey?: KeyReader; refuseRecords?: () => boolean } = {},
): Promise<ServedVault> => {
  const grown = await growVault();
  const index = await openIndex({
    path: join(grown.root, 'index'),
    vault: vaultSource(grown.vault, options.readKey ?? grown.readKey),
    log: () => undefined,
    local: utc,
    pollMs: 20,
    ...options,
  });
  const socket = join(grown.root, 'search.sock');
  writeFileSync(socket, 'left behind by one that was killed');
  const reads: ReadRecord[] = [];
  const server = await startSearchServer({
    socket,
    index,
    clock: systemClock(),
    log: () => undefined,
    async record(read) {
      if (options.refuseRecords?.() === true) throw new Error('there is no room for it');
      reads.push(read);
    },
  });

  const callUnproven = async (
    method: string,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ): Promise<IncomingMessage> => {
    const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more };
    const outgoing = request({ socketPath: socket, method, path, headers });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    const [response]: IncomingMessage[] = await once(outgoing, 'response');
    assert.ok(response !== undefined);
    return response;
  };
  let reader = '';
  const call = async (method: string, path: string, body?: unknown): Promise<IncomingMessage> => {
    if (reader === '') {
      const challenge = readerChallenge.parse(
        JSON.parse(await bodyOf(await callUnproven('POST', '/reader'))),
      );
      answerChallenge(challenge);
      reader = challenge.text;
    }
    return callUnproven(method, path, body, { [readerHeader]: reader });
  };

  const add = async (more: TestLine[]): Promise<number> => {
    const entry = await grown.grow(more);
    for (const limit = performance.now() + 60_000; index.state().indexed <= entry;) {
      assert.ok(performance.now() < limit, 'the index stands still');
      await sleep(5);
    }
    return entry;
  };

  await add(lines);
  return {
    grown,
    index,
    socket,
    reads,
    call,
    callUnproven,
    add,
    async find(query, more = {}) {
      const response = await call('POST', '/search', { query, ...more });
      const text = await bodyOf(response);
      assert.equal(response.statusCode, 200, text);
      const parsed = text
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
      const { answer } = answerSchema.parse(parsed.at(-1));
      return { hits: parsed.slice(0, -1).map((line) => hitSchema.parse(line)), answer };
    },
    async remove() {
      await server.stop();
      await index.stop();
      grown.remove();
    },
  };
};

export const bodyOf = async (response: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
};
