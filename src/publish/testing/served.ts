import { mkdirSync } from 'node:fs';
import { request } from 'node:http';
import type { TestContext } from 'node:test';
import { dirname } from 'node:path';
import { stateDirectory, type StateDirectory } from '#base/state';
import { beats, openTest, vaultFor, type TestVault } from '../../vault/testing/test-vault.ts';
import { startPublisher, type Publisher, type PublisherOptions } from '../index.ts';

/** A vault of the test's own under a publisher of its own, both real, and a client. */
export type Served = {
  made: TestVault;
  state: StateDirectory;
  publisher: Publisher;
  logged: string[];
  get(target: string, options?: Partial<Request>): Promise<Reply>;
};

export type Request = {
  method: string;
  headers: Record<string, string>;
  body: Buffer | string;
  over: 'unix' | 'tcp';
};
export type Reply = {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
};

/** One request, whose target goes out exactly as given. */
export const ask = (
  to: { socketPath: string } | { host: string; port: number },
  target: string,
  { method = 'GET', headers = {}, body }: Partial<Request> = {},
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const asking = request({ ...to, path: '/', method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
      response.on('error', reject);
    });
    // Node refuses some targets in its option; a stranger does not.
    asking.path = target;
    asking.on('error', reject);
    asking.end(body);
  });

export const hostPort = (address = ''): { host: string; port: number } => {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
};

/** A log that grew by these numbers of entries, a checkpoint after each. */
export const grow = async (made: TestVault, ...counts: readonly number[]): Promise<void> => {
  const appender = await openTest(made);
  for (const count of counts) await appender.commit(beats(count), appender.intake());
  appender.close();
};

export const serve = async (t: TestContext, options: Partial<PublisherOptions> = {}): Promise<Served> => {
  const made = vaultFor(t);
  const state = stateDirectory(made.root);
  mkdirSync(dirname(state.publishSocket), { recursive: true });
  const logged: string[] = [];
  const publisher = await startPublisher({
    state,
    tcp: { host: '127.0.0.1', port: 0 },
    witnesses: [],
    clock: made.clock,
    log: (severity, message) => logged.push(`${severity}: ${message}`),
    ...options,
  });
  t.after(() => publisher.stop());
  const tcp = hostPort(publisher.addresses['publish']);
  return {
    made,
    state,
    publisher,
    logged,
    get: (target, { over = 'tcp', ...asked } = {}) =>
      ask(over === 'tcp' ? tcp : { socketPath: state.publishSocket }, target, asked),
  };
};
