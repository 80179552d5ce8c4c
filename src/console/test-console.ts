import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { startConsole } from './index.ts';
import { startScriptedSearch, type ScriptedSearch } from './scripted-search.ts';

/** A running console on a free port, with a search server of the test's own behind it. Gone when the test ends. */
export type TestConsole = {
  state: string;
  token: string;
  port: number;
  search: ScriptedSearch;
  /** `Cookie` of a session that was opened with the token. */
  cookie: string;
  ask(path: string, options?: Ask): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>;
  /** As `ask`, without waiting for the end of the body. */
  open(path: string, options?: Ask): Promise<IncomingMessage>;
};

/** Headers replace the usual ones; `undefined` leaves one out. */
type Ask = { method?: string; headers?: Record<string, string | undefined>; body?: string };

export const startTestConsole = async (t: TestContext): Promise<TestConsole> => {
  const state = await mkdtemp(join(tmpdir(), 'holdfast-console-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  for (const part of ['run', 'vault', 'keys', 'page']) await mkdir(join(state, part));
  await writeFile(join(state, 'page', 'index.html'), '<!doctype html><title>the page</title>');
  const token = 'Zm9yIHRlc3RzIG9ubHksIG5vdCBhIHNlY3JldA';
  const tokenFile = join(state, 'token');
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });

  const search = await startScriptedSearch(join(state, 'run', 'search.sock'));
  t.after(() => search.stop());
  const page = join(state, 'page');
  const { address, stop } = await startConsole({
    state,
    host: '127.0.0.1',
    port: 0,
    tokenFile,
    page,
    log: () => undefined,
  });
  t.after(stop);
  const port = Number(new URL(address).port);

  const open = (path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const usual = {
        host: `127.0.0.1:${port}`,
        cookie,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const sent = Object.entries({ ...usual, ...headers }).flatMap(([name, value]) =>
        value === undefined || value === '' ? [] : [name, value],
      );
      const outgoing = request(
        { host: '127.0.0.1', port, method, path, headers: sent, agent: false, setHost: false },
        resolve,
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  const ask = async (path: string, options: Ask = {}) => {
    const response = await open(path, options);
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
  };

  let cookie = '';
  const opened = await ask(`/?token=${token}`);
  cookie = (opened.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
  return { state, token, port, search, cookie, ask, open };
};

/** The events of a stream as they come: `next()` waits for one, at most two seconds. */
export const eventsOf = (response: IncomingMessage): { next(): Promise<{ name: string; data: string }> } => {
  let held = '';
  const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]();
  return {
    async next() {
      for (;;) {
        const end = held.indexOf('\n\n');
        if (end !== -1) {
          const frame = held.slice(0, end);
          held = held.slice(end + 2);
          const [, name] = /^event: (.*)$/m.exec(frame) ?? [];
          const [, data] = /^data: (.*)$/m.exec(frame) ?? [];
          if (name !== undefined && data !== undefined) return { name, data };
          continue;
        }
        const late = Promise.withResolvers<never>();
        const timer = setTimeout(() => late.reject(new Error('no event within two seconds')), 2_000);
        const chunk = await Promise.race([chunks.next(), late.promise]).finally(() => clearTimeout(timer));
        if (chunk.done === true) throw new Error('the stream ended');
        held += chunk.value.toString('utf8');
      }
    },
  };
};
