import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Why there is no browser to test with, or `false`. */
export const withoutBrowser = ((): string | false => {
  try {
    accessSync(executablePath, constants.X_OK);
    return false;
  } catch {
    return `${executablePath} is not installed (apt-get install chromium)`;
  }
})();

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export type Look = { width: number; height: number; colorScheme: 'dark' | 'light' };

/** A browser with a profile of its own, gone when the test ends. */
export const openBrowser = async (t: TestContext, look: Look): Promise<BrowserContext> => {
  const profile = await mkdtemp(join(tmpdir(), 'holdfast-browser-'));
  const { width, height, colorScheme } = look;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    timeout: 120_000,
    args,
    viewport: { width, height },
    colorScheme,
    timezoneId: 'Europe/Helsinki',
  });
  t.after(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  });
  return context;
};

/** Everything that a page complains of: errors of its scripts, failed loads, and breaches of its policy. */
export const complaintsOf = (page: Page): string[] => {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  return complaints;
};
