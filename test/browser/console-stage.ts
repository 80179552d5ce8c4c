import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, after, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { startConsole } from '#console';
import { sampleHit, startScriptedSearch, type ScriptedSearch } from '../../src/console/scripted-search.ts';
import { complaintsOf, openBrowser, withoutBrowser, type Look } from './chromium.ts';

/**
 * The page as a person meets it: a real browser, the real console, the page built from the source as it is now. Behind
 * it stands a search server of the test's own, because a well-behaved one would not send what some tests need.
 */

export const token = 'Zm9yIHRlc3RzIG9ubHksIG5vdCBhIHNlY3JldA';
const web = join(import.meta.dirname, '..', '..', 'web');
export const wide: Look = { width: 1400, height: 900, colorScheme: 'dark' };
export const phone: Look = { width: 420, height: 800, colorScheme: 'light' };

let built: string;
before(async () => {
  if (withoutBrowser !== false) return;
  built = await mkdtemp(join(tmpdir(), 'holdfast-page-'));
  await build({ root: web, logLevel: 'warn', build: { outDir: built, emptyOutDir: true } });
});
after(async () => {
  if (withoutBrowser === false) await rm(built, { recursive: true, force: true });
});

export type Stage = {
  page: Page;
  search: ScriptedSearch;
  complaints: string[];
  address: string;
  state: string;
};

export const setStage = async (t: TestContext, look: Look): Promise<Stage> => {
  const state = await mkdtemp(join(tmpdir(), 'holdfast-console-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  for (const part of ['run', 'vault']) await mkdir(join(state, part));
  const search = await startScriptedSearch(join(state, 'run', 'search.sock'));
  t.after(() => search.stop());
  for (let line = 1; line <= 1_200; line += 1) search.hits.push(lineAt(line));
  return { ...(await openConsole(t, state, look)), search, state };
};

/** The console of a state directory, and a page of a browser of its own. */
export const openConsole = async (
  t: TestContext,
  state: string,
  look: Look,
): Promise<Pick<Stage, 'page' | 'complaints' | 'address'>> => {
  const keys = await mkdtemp(join(tmpdir(), 'holdfast-token-'));
  t.after(() => rm(keys, { recursive: true, force: true }));
  const tokenFile = join(keys, 'token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const { address, stop } = await startConsole({
    state,
    host: '127.0.0.1',
    port: 0,
    tokenFile,
    page: built,
    log: () => undefined,
  });
  t.after(stop);
  const page = await (await openBrowser(t, look)).newPage();
  page.setDefaultTimeout(60_000);
  return { page, complaints: complaintsOf(page), address };
};

export const lineAt = (line: number) => {
  const time = new Date(Date.now() - (1_200 - line) * 1_000).toISOString().replace('Z', '000Z');
  const message = line % 400 === 0 ? `disk error number ${line}` : `ordinary line ${line}`;
  return sampleHit({
    address: `1:${line}`,
    received: time,
    time,
    message,
    severity: line % 400 === 0 ? 'err' : 'info',
    raw: Buffer.from(`<14>${message}`).toString('base64'),
  });
};
