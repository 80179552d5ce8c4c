import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { micros, type Clock } from '#base/clock';
import { checkpointText, formatVkey, parseVkey, signNote, type Vkey } from '#vault/checkpoint';
import { consistencyPath, hashSize, leafHash, treeRoot } from '#vault/tree';
import { createWitness } from '../create.ts';
import { openDurable } from '#vault/durable';
import { knownLogs } from '../known-logs.ts';
import { witnessLayout, type WitnessLayout } from '../layout.ts';
import { beginMemory } from '../memory.ts';
import { formatProof, formatSubmission } from '../submission.ts';
import { openWitness, type Witness } from '../witness.ts';

/** A log with a key of its own and a tree of numbered leaves. `branch` gives another history from `from` on. */
export type TestLog = {
  origin: string;
  vkey: Vkey;
  vkeyText: string;
  root(size: number): Buffer;
  note(size: number): Buffer;
  proof(old: number, size: number): Buffer[];
  /** The whole body of add-checkpoint. */
  submission(old: number, size: number): Buffer;
  branch(from: number): TestLog;
};

export const maxLeaves = 300;

export const newTestLog = (origin = 'log.example/holdfast/0'): TestLog => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const vkeyText = formatVkey(origin, publicKey);
  const vkey = parseVkey(vkeyText);
  const signer = { name: origin, keyId: vkey.keyId, privateKey };
  const build = (leaf: (index: number) => string): TestLog => {
    const hashes = Buffer.concat(
      Array.from({ length: maxLeaves }, (_, index) => leafHash(Buffer.from(leaf(index)))),
    );
    const upTo = (size: number): Buffer => hashes.subarray(0, size * hashSize);
    const log: TestLog = {
      origin,
      vkey,
      vkeyText,
      root: (size) => treeRoot(upTo(size)),
      note: (size) => signNote(checkpointText(origin, size, treeRoot(upTo(size))), signer),
      proof: (old, size) => (old === 0 || old === size ? [] : consistencyPath(upTo(size), old)),
      submission: (old, size) => formatSubmission(old, log.proof(old, size), log.note(size)),
      branch: (from) => build((index) => (index < from ? leaf(index) : `other ${leaf(index)}`)),
    };
    return log;
  };
  return build((index) => `leaf ${index}`);
};

/** A clock that stands still until it is set. */
export const standingClock = (seconds: number): Clock & { set(seconds: number): void } => {
  let at = seconds;
  return {
    now: () => micros(at * 1_000_000),
    elapsed: () => at * 1000,
    set: (value) => void (at = value),
  };
};

export const temporaryDirectory = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-witness-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

export type TestWitness = {
  layout: WitnessLayout;
  clock: ReturnType<typeof standingClock>;
  said: string[];
  failures: unknown[];
  open(step?: (what: string) => void): Promise<Witness>;
};

/** A witness in a directory of its own that knows these logs; `open` is the start of a process. */
export const newTestWitness = async (t: TestContext, ...logs: readonly TestLog[]): Promise<TestWitness> => {
  const layout = witnessLayout(join(temporaryDirectory(t), 'witness'));
  const signer = createWitness(layout, layout.key, 'witness.example/w1');
  for (const { origin } of logs)
    await beginMemory(layout, openDurable({ scratch: layout.scratch }), origin, signer.vkey);
  const clock = standingClock(1_700_000_000);
  const [said, failures]: [string[], unknown[]] = [[], []];
  return {
    layout,
    clock,
    said,
    failures,
    open: (step) =>
      openWitness({
        layout,
        signer,
        logs: knownLogs(logs.map(({ vkey }) => vkey)),
        clock,
        log: (severity, message) => void said.push(`${severity}: ${message}`),
        fail: (error) => void failures.push(error),
        ...(step === undefined ? {} : { step }),
      }),
  };
};

/** A publisher whose log and size a test sets, over real HTTP; keeps what is handed in. */
export type TestPublisher = {
  url: string;
  show(log: TestLog, size: number): void;
  /** What it offers to all witnesses from now on; `null`, and at first: it has no such thing, as publishers once had not. */
  offer(size: number | null): void;
  /** Answers 403 to contradictions from now on. */
  refuse(what: 'contradictions'): void;
  /** Answers 503 from now on, or no longer. */
  away(is: 'away' | 'here'): void;
  given: { path: string; note: Buffer }[];
};

export const startTestPublisher = async (t: TestContext, first: TestLog): Promise<TestPublisher> => {
  let shown = { log: first, size: 0 };
  let away = false;
  let candidate: number | null = null;
  const refused = new Set<string>();
  const given: { path: string; note: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://publisher');
    const body = Buffer.concat(await request.toArray());
    if (away) return void response.writeHead(503).end();
    if (request.method === 'POST') {
      if (refused.has(pathname)) return void response.writeHead(403).end('no\n');
      given.push({ path: pathname, note: body });
      return void response.writeHead(202).end();
    }
    if (pathname === '/checkpoint') return void response.end(shown.log.note(shown.size));
    if (pathname === '/candidate')
      return candidate === null
        ? void response.writeHead(404).end('there is nothing by that name\n')
        : void response.end(shown.log.note(candidate));
    const [from, to] = [Number(searchParams.get('from')), Number(searchParams.get('to'))];
    return void response.end(formatProof(shown.log.proof(from, to)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    show: (log, size) => void (shown = { log, size }),
    refuse: () => void refused.add('/contradiction'),
    offer: (size) => void (candidate = size),
    away: (is) => void (away = is === 'away'),
    given,
  };
};
