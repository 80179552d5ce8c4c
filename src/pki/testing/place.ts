import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { micros, type Clock } from '#base/clock';
import { operatorAnswer, passedBack, type OperatorAnswer, type OperatorRequest } from '#wire/pki';
import type { BookEvent } from '../book/index.ts';
import { makeSigningRequest, newKey } from '../host/index.ts';
import { ask } from '../mailbox/index.ts';
import { startIssuer, type RunningIssuer } from '../issue/index.ts';
import { enrolStatement, newToken, parseToken, renewStatement } from '../token/index.ts';

export const day = 86_400_000;

/** An issuer with directories of its own, asked as the receiver and as operators ask. */
export type Place = {
  root: string;
  secret: string;
  issued: string;
  asked: string;
  /** Days that the clock is ahead of the machine's. */
  at: { days: number };
  told: BookEvent[];
  /** It ends, as by kill -9, after the next grant is in the book and before anybody is told. */
  crashNext(): void;
  issuer: RunningIssuer;
  restart(names?: readonly string[]): Promise<void>;
  operator(request: OperatorRequest): Promise<OperatorAnswer>;
  stranger(
    path: '/enrol' | '/renew',
    body: unknown,
  ): Promise<{
    status: number;
    refused: string | null;
    body: { certificate: string; serial: string; expires: string };
  }>;
  token(name: string, validSeconds?: number): Promise<string>;
};

export const serverPem = newKey();
const serverKey = createPublicKey(serverPem).export({ type: 'spki', format: 'der' }).toString('base64');

export const openPlace = async (t: TestContext): Promise<Place> => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-pki-'));
  const [secret, issued, asked] = ['issuer', 'issued', 'asked'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [secret, issued, asked]) mkdirSync(path);
  const at = { days: 0 };
  const clock: Clock = {
    now: () => micros((Date.now() + at.days * day) * 1000),
    elapsed: () => performance.now(),
  };
  const told: BookEvent[] = [];
  let crash = false;
  const start = (serverNames: readonly string[]): Promise<RunningIssuer> =>
    startIssuer({
      secret,
      issued,
      asked,
      serverKey,
      serverNames,
      clock,
      log: () => undefined,
      told: told.length,
      tell(events) {
        if (crash && events.length > 0) return Promise.reject(new Error('killed'));
        told.push(...events);
        return Promise.resolve();
      },
      onFault(error) {
        if (!crash) throw error;
      },
    });
  const operator = async (request: OperatorRequest): Promise<OperatorAnswer> =>
    operatorAnswer.parse(
      JSON.parse(String(await ask(join(secret, 'requests'), Buffer.from(JSON.stringify(request))))),
    );
  const place: Place = {
    root,
    secret,
    issued,
    asked,
    at,
    told,
    crashNext: () => void (crash = true),
    issuer: await start(['log.example', '127.0.0.1']),
    async restart(names = ['log.example', '127.0.0.1']) {
      await place.issuer.stop();
      crash = false;
      place.issuer = await start(names);
    },
    operator,
    async stranger(path, body) {
      const head = JSON.stringify({ path, peer: '192.0.2.7:4711' });
      const bytes = Buffer.from(`${head}\n${typeof body === 'string' ? body : JSON.stringify(body)}`);
      const answer = passedBack.parse(JSON.parse(String(await ask(asked, bytes))));
      return { ...answer, body: JSON.parse(answer.body) };
    },
    async token(name, validSeconds = 3600) {
      const { id, text, publicKey } = newToken();
      const answer = await operator({ kind: 'token', token: id, publicKey, name, validSeconds, by: 'test' });
      assert.equal(answer.kind, 'token');
      return text;
    },
  };
  t.after(async () => {
    await place.issuer.stop();
    rmSync(root, { recursive: true });
  });
  return place;
};

/** What a host sends to `/enrol`. */
export const enrolment = async (text: string, name: string, key = newKey()): Promise<unknown> => {
  const token = parseToken(text);
  const csr = await makeSigningRequest(key, name);
  return {
    token: token.id,
    csr: csr.toString('base64'),
    proof: sign(null, enrolStatement(csr), token.key).toString('base64'),
  };
};

/** What a host sends to `/renew`. */
export const renewal = async (certificate: string, key: string, signer = key): Promise<unknown> => {
  const csr = await makeSigningRequest(key, 'web1.example');
  return {
    certificate,
    csr: csr.toString('base64'),
    proof: sign('sha256', renewStatement(csr), createPrivateKey(signer)).toString('base64'),
  };
};
