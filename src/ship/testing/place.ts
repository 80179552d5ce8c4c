import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

export type Place = {
  root: string;
  logs: string;
  spool: string;
  received: string;
  socket: string;
  /** Runs at the end of the test, what was named last first, and all before the directory goes. */
  after(cleanUp: () => unknown): void;
};

/** A fresh directory with what this room's tests need, removed at the end of the test. */
export const place = (t: TestContext): Place => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-ship-'));
  const cleanUps: (() => unknown)[] = [];
  t.after(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    rmSync(root, { recursive: true, force: true });
  });
  const at = {
    root,
    logs: join(root, 'log'),
    spool: join(root, 'spool'),
    received: join(root, 'received'),
    socket: join(root, 'own.sock'),
    after: (cleanUp: () => unknown) => void cleanUps.push(cleanUp),
  };
  mkdirSync(at.logs);
  mkdirSync(at.received);
  return at;
};

/** Waits until `condition` holds. */
export const until = async (what: string, condition: () => boolean, patience = 60_000): Promise<void> => {
  const end = performance.now() + patience;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${patience} ms in vain until ${what}`);
    await wait(20);
  }
};

/** Own-log messages, for tests that look at them. */
export const quiet = (): { log: (severity: string, message: string) => void; said: string[] } => {
  const said: string[] = [];
  return { log: (severity, message) => void said.push(`${severity}: ${message}`), said };
};
