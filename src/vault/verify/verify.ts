import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { parseVkey, type Checkpoint, type Vkey } from '#vault/checkpoint';
import { tileWidth } from '#vault/tree';
import { listVault } from './files.ts';
import { readHistory, type History } from './history.ts';
import { checkLeftovers } from './leftovers.ts';
import { newLogCheck } from './log.ts';
import { listStaging, newPendingSearch } from './pending.ts';
import { findPublished, readPublished } from './published.ts';
import { messageOf, newFindings, type VerifyOptions, type VerifyReport } from './report.ts';
import { checkTiles } from './tiles.ts';

/** While a keeper is at work, what looks wrong may only have been in motion: so often it is looked at again. */
const attempts = 3;

/**
 * Checks a vault again from the bytes of its segments to the signature of its checkpoint, trusting nothing but the
 * public key: every file must be there, be what the root covers, and nothing else may lie there. Reads only, and works
 * beside a keeper. Never throws for what it finds in the vault.
 */
export const verifyVault = async (options: VerifyOptions): Promise<VerifyReport> => {
  let vkey: Vkey;
  try {
    vkey = parseVkey(options.vkey);
  } catch (error) {
    const problems = [{ file: 'vkey', what: messageOf(error) }];
    return {
      ok: false,
      origin: null,
      size: 0,
      root: null,
      lines: 0,
      entries: 0,
      problems,
      more: 0,
      uncommitted: 0,
      freshness: 'unknown: no usable public key',
    };
  }
  for (let attempt = 1; ; attempt++) {
    // Whoever else runs in this process, a keeper even, gets a turn also where there is little to look at.
    await turn();
    const { report, isInMotion } = await look(options, vkey);
    if (report.ok || attempt === attempts || !isInMotion()) return report;
    await sleep(100);
  }
};

const look = async (
  { vault, lock, onProgress }: VerifyOptions,
  vkey: Vkey,
): Promise<{ report: VerifyReport; isInMotion: () => boolean }> => {
  const findings = newFindings();
  const { published, signed, freshness } = findPublished(vault, vkey, lock, findings);
  const hasMovedOn = (): boolean => {
    const now = readPublished(vault, vkey);
    return published !== null && typeof now !== 'string' && now.size > published.size;
  };
  const listing = listVault(vault, findings);
  const history = readHistory(vault, listing, vkey, findings);
  // Without a checkpoint of its own the vault is still held against the newest signed one that can be found.
  const target = published ?? newestOf(history, signed);
  const tally = { lines: 0, entries: 0 };
  let uncommitted = 0;
  if (target !== null) {
    const log = newLogCheck({ vault, listing, history, target, findings, tally });
    const edge = await checkTiles(
      { vault, listing, size: target.size, root: target.root, findings, hasMovedOn },
      async (bundle) => {
        for (let i = 0; i < bundle.width; i++) {
          log.check(bundle, i);
          // A segment takes milliseconds: whoever else runs in this process gets a turn after each.
          await turn();
        }
        onProgress?.({
          entries: Math.min(bundle.first + tileWidth, target.size),
          size: target.size,
          lines: tally.lines,
        });
      },
    );
    log.end();
    uncommitted = checkLeftovers({
      vault,
      listing,
      published: log.published(),
      history,
      target,
      pending: newPendingSearch(vault, target),
      edge,
      findings,
      hasMovedOn,
    });
  }
  for (const { file, what } of listing.unexpected) findings.add({ file, what });
  const report: VerifyReport = {
    ok: findings.problems.length === 0,
    origin: target?.origin ?? null,
    size: target?.size ?? 0,
    root: target?.root.toString('base64') ?? null,
    ...tally,
    problems: findings.problems,
    more: findings.more(),
    uncommitted,
    freshness,
  };
  const sawStaging = [...listing.files.values()].some(({ kind }) => kind === 'staging');
  return { report, isInMotion: () => sawStaging || hasMovedOn() || listStaging(vault).length > 0 };
};

const newestOf = (history: History, signed: Checkpoint | null): Checkpoint | null => {
  const kept = history.bySize.get(history.sizes.at(-1) ?? -1) ?? null;
  return signed !== null && signed.size > (kept?.size ?? -1) ? signed : kept;
};
