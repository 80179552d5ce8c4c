import { rmSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { openVault } from '#vault/read';
import { encodeRedacted, sha256 } from '#vault/tree';
import type { GrownVault } from './grown-vault.ts';

/** Takes the lines of entries [first, end) away. */
export const expire = (made: GrownVault, first: number, end: number): Promise<unknown> =>
  made.appender.commit(
    [{ kind: 'expire', entry: { entries: { first, end }, class: 'default', policy: 'test', by: 'test' } }],
    'none\n',
  );

/** Takes one line away, and the segment that has it. */
export const redact = async (made: GrownVault, entry: number, line: number): Promise<void> => {
  const stored = zstdCompressSync(encodeRedacted(openVault(made.vault).batch(entry), line));
  const segment = { sha256: sha256(stored), length: stored.length };
  await made.appender.commit(
    [{ kind: 'redact', entry: { target: { entry, line }, segment, reason: 'test', by: 'test' }, stored }],
    'none\n',
  );
  rmSync(made.segmentFile(entry), { force: true });
};
