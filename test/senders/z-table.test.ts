import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { documentFile, rowsOf } from '../../tools/senders/document.ts';
import { recentlySeen } from '../../tools/senders/seen.ts';
import { root } from '../harness/up.ts';

/** Files run in the order of their names: this one is the last. */
const seen = recentlySeen(1_800_000);
const skip = seen.length > 0 ? false : 'no sender was run before this';

test('what docs/senders.md says came of it is what came of it here', { skip }, () => {
  const page = rowsOf(readFileSync(join(root, documentFile), 'utf8'));
  for (const { sender, way, result } of seen)
    assert.equal(
      page.find((row) => row.sender === sender && row.way === way)?.result,
      result,
      `${sender} ${way}: run node tools/senders/write.ts`,
    );
});
