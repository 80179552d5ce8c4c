import { setImmediate as turn } from 'node:timers/promises';
import { newKinds, rulesOf } from './amendments.ts';
import { newCompletenessCheck } from './completeness.ts';
import { openHistory } from './history.ts';
import { checkLeftovers } from './leftovers.ts';
import { newLogCheck } from './log.ts';
import type { Looked, Looking } from './look.ts';
import { newPendingSearch } from './pending.ts';
import { newPublishedEdges } from './published-edges.ts';
import { newSegmentChecks } from './segments.ts';
import { keyEntriesOf, newSigners } from './signers.ts';
import { checkTiles } from './tiles.ts';

/** The course of a whole verification: from the entries up to the root, each entry, and then what else lies there. */
export const lookAtAll = async (looking: Looking): Promise<Looked> => {
  const { options, vkey, target, amendments, findings, tally, watched, hasMovedOn, mayBeThere, progress } =
    looking;
  const { vault, threads } = options;
  const signers = newSigners(vkey, options.vkey.trim(), keyEntriesOf(amendments));
  const rules = rulesOf(amendments);
  const kinds = newKinds();
  const completeness = newCompletenessCheck();
  const history = openHistory(vault, findings);
  const edges = newPublishedEdges();
  const segments = newSegmentChecks({ vault, rules, findings, completeness, tally, mayBeThere, threads });
  const parts = { vault, history, target, signers, rules, kinds, segments, edges, findings, watched };
  const log = newLogCheck(parts);
  const { size, root } = target;
  const edge = await checkTiles({ vault, size, root, findings, hasMovedOn }, async (bundle) => {
    for (let i = 0; i < bundle.width; i++) {
      await log.check(bundle, i);
      progress(bundle.first + i + 1);
      // A segment takes milliseconds: whoever else runs in this process gets a turn after each.
      await turn();
    }
  });
  const end = await log.end();
  progress(size);
  const { uncommitted, sawStaging } = checkLeftovers({
    ...looking,
    vault,
    edges,
    history,
    kinds,
    rules,
    amendments: end.amendments,
    hasLost: end.entries < size,
    pending: newPendingSearch(vault, target),
    edge,
  });
  const notes = looking.judgeNotes({
    target,
    rootAt: (earlier) => end.roots.get(earlier) ?? null,
    checkpointAt: (earlier) => history.at(earlier)?.note ?? target.note,
    keysAt: (earlier) => [...new Set([signers.at(earlier), vkey])].filter((key) => key !== null),
  });
  return {
    scope: 'whole',
    completeness: completeness.end(true),
    keys: signers.keys(),
    entries: end.entries,
    uncommitted,
    notes,
    unwitnessedSince: (entry) => (end.entries < size ? null : end.lastUnwitnessed >= entry),
    amendments: end.amendments,
    sawStaging,
  };
};
