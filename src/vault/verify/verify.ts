import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { parseVkey, type Vkey } from '#vault/checkpoint';
import { nothingKnown } from './completeness.ts';
import { judgeFreshness, noPresent } from './freshness.ts';
import { look } from './look.ts';
import { messageOf, type VerifyOptions, type VerifyReport } from './report.ts';
import type { Amended } from './scan.ts';

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
    return nothingLooked({ file: 'vkey', what: messageOf(error) });
  }
  let known: readonly Amended[] | null = null;
  for (let attempt = 1; ; attempt++) {
    // Whoever else runs in this process, a keeper even, gets a turn also where there is little to look at.
    await turn();
    const { report, isInMotion, amendments } = await look(options, vkey, known);
    if (report.ok || attempt === attempts) return report;
    // Segments were judged by amendments that are not the log's: a bundle that names them was changed.
    if (known === null && amendments !== null) known = amendments;
    else if (isInMotion()) known = null;
    else return report;
    if (known === null) await sleep(100);
  }
};

const nothingLooked = (problem: VerifyReport['problems'][number]): VerifyReport => ({
  ok: false,
  integrity: { verdict: 'unknown', detail: problem.what },
  completeness: nothingKnown('nothing was looked at'),
  freshness: judgeFreshness(0, { says: 'nothing', size: null }, [], noPresent),
  scope: 'whole',
  origin: null,
  size: 0,
  root: null,
  keys: null,
  lines: 0,
  entries: 0,
  problems: [problem],
  more: 0,
  uncommitted: 0,
});
