import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { IndexError } from './errors.ts';
import { openIndex } from './indexer.ts';
import { growVault } from './testing/grown-vault.ts';
import { vaultSource } from './vault-source.ts';

test(
  'an index that was deleted says so, and empties nothing more, whether or not anybody listens',
  { timeout: 60_000 },
  async (t) => {
    const grown = await growVault();
    t.after(() => grown.remove());
    const path = join(grown.root, 'index');
    const index = await openIndex({
      path,
      vault: vaultSource(grown.vault, grown.readKey),
      log: () => undefined,
      pollMs: 20,
    });
    t.after(() => index.stop());
    const isGone = (error: unknown): boolean => error instanceof IndexError && error.code === 'engine-gone';
    await index.rebuild();
    rmSync(path, { recursive: true });
    // The first may still find the engine as it was, or be refused by it.
    while (index.state().trouble?.message.includes('was deleted') !== true)
      await index.rebuild().catch(() => undefined);
    assert.equal(index.state().trouble?.with, 'index');
    await assert.rejects(index.rebuild(), isGone);
  },
);
