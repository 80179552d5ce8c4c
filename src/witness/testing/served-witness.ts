import type { TestContext } from 'node:test';
import type { HttpLimits } from '#http';
import { ask, parsePlace, type Reply } from '../http.ts';
import { startWitnessServer, type WitnessServer } from '../server.ts';
import type { Witness } from '../witness.ts';
import { newTestLog, newTestWitness, type TestLog, type TestWitness } from './test-log.ts';

/** A witness that knows one log, behind its real HTTP server. */
export type Served = TestWitness & {
  log: TestLog;
  witness: Witness;
  server: WitnessServer;
  post(body: Buffer | string): Promise<Reply>;
  get(path: string): Promise<Reply>;
};

export const serve = async (t: TestContext, limits: Partial<HttpLimits> = {}): Promise<Served> => {
  const log = newTestLog();
  const made = await newTestWitness(t, log);
  const witness = await made.open();
  const server = await startWitnessServer({
    witness,
    host: '127.0.0.1',
    port: 0,
    log: (severity, message) => void made.said.push(`${severity}: ${message}`),
    limits,
  });
  t.after(async () => {
    await server.stop();
    await witness.close();
  });
  const place = parsePlace(`http://127.0.0.1:${server.port}`);
  return {
    ...made,
    log,
    witness,
    server,
    post: (body) =>
      ask({ place, method: 'POST', path: '/add-checkpoint', body: Buffer.from(body), maxReply: 8192 }),
    get: (path) => ask({ place, method: 'GET', path, maxReply: 8192 }),
  };
};

export const cosignedSize = (witness: Witness, { origin }: TestLog): number =>
  witness.seen(origin)?.head.size ?? 0;
