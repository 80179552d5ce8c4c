import type { Clock, Micros } from '#base/clock';
import { messageOf } from '#base/errors';
import { formatMicros } from '#base/rfc3339';
import { meansAltered, type Index, type IndexState, type Rechecked } from '#index';
import { parseLineAddress } from '#vault/record';
import type { Answer } from '#wire/search';

type Integrity = Answer['answer']['integrity'];

/** Entries whose stored bytes are looked at again for one answer, and for how long at most. */
const mostRechecked = 64;
const recheckMs = 1000;

const mostNames = 20;

/**
 * Whether what was searched is what was committed. Everything was checked when it was indexed; the vault's bytes behind
 * the lines that are shown are checked again now, as far as the bounds above go.
 */
export const integrityOf = async (
  index: Index,
  hits: readonly { address: string }[],
  clock: Clock,
): Promise<Integrity> => {
  const checkpoint = checkpointNow(index);
  const rechecked = checkpoint === null ? await recheck(index, hits, clock) : null;
  const state = index.state();
  const { indexed, committed } = state;
  const judged = judge(state, checkpoint, rechecked, index.vault.unsigned());
  return {
    verdict: judged.verdict,
    detail: [...judged.details, ...still(state)].join('; '),
    indexed,
    committed,
  };
};

type Judged = { verdict: Integrity['verdict']; details: string[] };
type Trouble = { altered: boolean; message: string };

/** What is wrong with the newest checkpoint, `null` if it reads and verifies. */
const checkpointNow = (index: Index): Trouble | null => {
  try {
    index.vault.checkpoint();
    return null;
  } catch (error) {
    return { altered: meansAltered(error), message: messageOf(error) };
  }
};

const judge = (
  state: IndexState,
  checkpoint: Trouble | null,
  rechecked: Rechecks | null,
  unsigned: string | null,
): Judged => {
  const { indexed, committed } = state;
  const whenIndexed = `each of the ${plural(indexed, 'entry', 'entries')} searched matched its checkpointed hash when it was indexed`;
  const altered = alteredOf(state, rechecked);
  const seen = rechecked === null ? [] : said(rechecked);
  if (altered.length > 0) return { verdict: 'altered', details: [...altered, ...seen] };
  if (checkpoint?.altered === true)
    return {
      verdict: 'altered',
      details: [`what the vault publishes is not what was signed (${checkpoint.message})`],
    };
  if (state.trouble?.with === 'vault altered')
    return { verdict: 'altered', details: ['what the vault publishes is not what was signed'] };
  if (checkpoint !== null)
    return {
      verdict: 'unknown',
      details: [`the vault cannot be read, so nothing can be checked against it (${checkpoint.message})`],
    };
  if (committed === 0)
    return {
      verdict: 'unknown',
      details: ['the vault has no checkpoint yet, so there is nothing to check against'],
    };
  if (committed < indexed)
    return {
      verdict: 'altered',
      details: [
        `the vault was cut back: it has ${plural(committed, 'entry', 'entries')}, the index had taken in ${indexed}`,
      ],
    };
  if (unsigned !== null)
    return {
      verdict: 'unknown',
      details: [`nobody can tell who signed the checkpoint: ${unsigned}`, whenIndexed, ...seen],
    };
  if (rechecked !== null && rechecked.unseen.length > 0)
    return { verdict: 'unknown', details: [...rechecked.unseen, ...seen, whenIndexed] };
  return { verdict: 'unaltered', details: [whenIndexed, ...seen] };
};

const alteredOf = ({ altered }: IndexState, rechecked: Rechecks | null): string[] => {
  const named = [
    ...(rechecked?.altered ?? []).map(
      ({ entry, reason }) =>
        `entry ${entry}, of which lines are shown, is no longer what was committed (${reason})`,
    ),
    ...altered.map(
      ({ entry, reason }) =>
        `entry ${entry} is not what was committed (${reason}); its lines are not in the index: put its file back from a copy of the vault, it is tried again each minute`,
    ),
  ];
  return named.length > mostNames
    ? [...named.slice(0, mostNames), `${named.length - mostNames} more`]
    : named;
};

/** How far the index is behind the vault. */
const still = ({ indexed, committed, trouble }: IndexState): string[] => [
  ...(indexed < committed ? [`${plural(committed - indexed, 'entry', 'entries')} still to be taken in`] : []),
  ...(trouble === null ? [] : [`indexing stands still: ${trouble.message}`]),
];

type Rechecks = {
  /** Entries of the lines that are shown. */
  shown: number;
  altered: { entry: number; reason: string }[];
  unseen: string[];
  /** When the entries that are as committed were looked at. */
  at: Micros[];
};

const recheck = async (
  index: Index,
  hits: readonly { address: string }[],
  clock: Clock,
): Promise<Rechecks> => {
  const entries = new Set<number>();
  for (const { address } of hits) {
    const parsed = parseLineAddress(address);
    if (parsed !== null) entries.add(parsed.entry);
  }
  const rechecks: Rechecks = { shown: entries.size, altered: [], unseen: [], at: [] };
  const until = clock.elapsed() + recheckMs;
  for (const entry of [...entries].slice(0, mostRechecked)) {
    if (clock.elapsed() > until) break;
    const found: Rechecked = await index.vault.recheck(entry);
    if (found.kind === 'altered') rechecks.altered.push({ entry, reason: found.reason });
    else if (found.kind === 'as committed') rechecks.at.push(found.at);
    else rechecks.unseen.push(`entry ${entry} could not be looked at again: ${found.reason}`);
    // Other searches are served by this thread too.
    await new Promise(setImmediate);
  }
  return rechecks;
};

/** What was looked at again, and when: no more than that. */
const said = ({ shown, at }: Rechecks): string[] => {
  if (shown === 0) return ['no line is shown, so nothing was looked at again'];
  if (at.length === 0) return [`none of the ${plural(shown, 'entry', 'entries')} shown was looked at again`];
  const first = formatMicros(at.reduce((a, b) => (b < a ? b : a)));
  const last = formatMicros(at.reduce((a, b) => (b > a ? b : a)));
  const when = first === last ? `at ${last}` : `between ${first} and ${last}, files unchanged since`;
  const which =
    at.length === shown
      ? `the stored bytes of ${shown === 1 ? 'the 1 entry' : `all ${shown} entries`} with lines shown`
      : `the stored bytes of ${at.length} of the ${shown} entries with lines shown`;
  return [`${which} were found to match again ${when}`];
};

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
