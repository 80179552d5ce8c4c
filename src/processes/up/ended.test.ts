import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ended } from './ended.ts';

test('the last words say that all is in the vault only where nothing waits', () => {
  const seen = { kind: 'seen', files: 0, damaged: 0 } as const;
  assert.match(ended({ ...seen, bytes: 0 }, ''), /^Ended\. What was acknowledged is in the vault;/);
  const waiting = ended({ ...seen, bytes: 6144, files: 1 }, ' --state /s');
  assert.match(
    waiting,
    /^Ended\. 6144 bytes that were acknowledged are durable in intake and NOT in the vault yet/,
  );
  assert.match(waiting, /holdfast vault fsck --state \/s\n$/);
  assert.match(ended({ kind: 'unseen', why: 'EACCES' }, ''), /nobody can tell \(EACCES\)/);
});
