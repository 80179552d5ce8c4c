import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/**
 * Stand-ins for programs that fail, or tell something else the next time, as a real one cannot be made to.
 * @param texts what sh runs, by the program's name; `$DIR` is a directory of its own
 */
export const programs = (t: TestContext, texts: Readonly<Record<string, string>>): void => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-programs-'));
  const before = process.env['PATH'] ?? '';
  t.after(() => {
    process.env['PATH'] = before;
    rmSync(directory, { recursive: true, force: true });
  });
  for (const [name, text] of Object.entries(texts))
    writeFileSync(join(directory, name), `#!/bin/sh\nDIR=${directory}\n${text}\n`, { mode: 0o755 });
  process.env['PATH'] = `${directory}:${before}`;
};
