import { setImmediate as turn } from 'node:timers/promises';
import type { Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { holdOn, holdsOf, type Hold, type VaultReader } from '#vault/read';
import type { KeeperRequest } from '#vault/request';
import { segmentPath, tileWidth, type BatchEntry, type EntryRange, type ExpireEntry } from '#vault/tree';
import { VaultError } from '../errors.ts';
import type { NewEntry } from './new-entry.ts';

type Asked<K extends KeeperRequest['kind']> = Extract<KeeperRequest, { kind: K }>;

/**
 * @param now nothing that is still to come can be older than a limit
 * @throws VaultError `not-found`, `held`, `refused`; AbortError
 */
export const prepareExpiry = async (
  vault: VaultReader,
  request: Asked<'expire'>,
  now: Micros,
  signal: AbortSignal,
): Promise<NewEntry> => {
  const { entries, before } = request;
  assertWithin(vault, entries);
  if (before > now)
    throw new VaultError('refused', `${formatMicros(before)} is in the future: name a time that has passed`);
  const amendments = vault.amendments();
  const holds = holdsOf(amendments.all());
  let fresh = 0;
  for await (const { index, entry } of batchesIn(vault, entries, signal)) {
    if (entry.class !== request.class) continue;
    const hold = holdOn(holds, index);
    if (hold !== null) throw heldBy(hold, index, 'expire');
    if (entry.latest >= before)
      throw new VaultError(
        'refused',
        `entry ${index} has a line of ${formatMicros(entry.latest)}, which is not before ${formatMicros(before)}: a batch expires only as a whole`,
      );
    if (amendments.expiry(index, entry) === null) fresh += 1;
  }
  if (fresh === 0)
    throw new VaultError(
      'not-found',
      `entries ${entries.first} to ${entries.end - 1} have no batch of class ${request.class} that could still expire`,
    );
  const { class: name, policy, by } = request;
  return { kind: 'expire', entry: { entries, class: name, policy, by } };
};

/** @throws VaultError `not-found` */
export const prepareHold = (vault: VaultReader, { entries, reason, by }: Asked<'hold'>): NewEntry => {
  assertWithin(vault, entries);
  return { kind: 'hold', entry: { entries, reason, by } };
};

/** @throws VaultError `not-found` where there is no such hold, or it is not in force any more */
export const prepareRelease = (vault: VaultReader, { hold, reason, by }: Asked<'release'>): NewEntry => {
  const found = holdsOf(vault.amendments().all()).find(({ index }) => index === hold);
  if (found === undefined)
    throw new VaultError('not-found', `entry ${hold} is no hold: see 'holdfast vault holds'`);
  if (found.released !== null)
    throw new VaultError('not-found', `hold ${hold} was released already, by entry ${found.released.index}`);
  return { kind: 'release', entry: { hold, reason, by } };
};

export const heldBy = ({ index, entry }: Hold, batch: number, what: string): VaultError =>
  new VaultError(
    'held',
    `cannot ${what}: entry ${batch} is under legal hold ${index} (${entry.reason}, by ${entry.by}). Release it first: holdfast vault release ${index}`,
  );

const assertWithin = (vault: VaultReader, { first, end }: EntryRange): void => {
  const size = vault.checkpoint()?.size ?? 0;
  if (first < end && end <= size) return;
  throw new VaultError(
    'not-found',
    `entries ${first} to ${end - 1} are not all in the log, which has ${size}`,
  );
};

/** Batches of a range, without keeping others from their turn. @throws AbortError between two bundles of entries */
const batchesIn = async function* (
  vault: VaultReader,
  { first, end }: EntryRange,
  signal: AbortSignal,
): AsyncGenerator<{ index: number; entry: BatchEntry }> {
  for (let from = first; from < end;) {
    const to = Math.min(end, (Math.floor(from / tileWidth) + 1) * tileWidth);
    for (const { index, entry } of vault.entries(from, to))
      if (entry.kind === 'batch') yield { index, entry };
    from = to;
    await turn();
    signal.throwIfAborted();
  }
};

/** Files that are to go under an expire entry, relative to the vault, in pieces of at most some hundred. */
export const expiredFiles = async function* (
  vault: VaultReader,
  { index, entry }: { index: number; entry: ExpireEntry },
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const revisions = Map.groupBy(
    vault
      .amendments()
      .all()
      .flatMap((one) => (one.entry.kind === 'redact' ? [{ ...one, entry: one.entry }] : [])),
    (one) => one.entry.target.entry,
  );
  let paths: string[] = [];
  for await (const batch of batchesIn(vault, entry.entries, signal)) {
    if (batch.entry.class !== entry.class || batch.index >= index) continue;
    paths.push(
      segmentPath(batch.index),
      ...(revisions.get(batch.index) ?? []).map((one) => segmentPath(batch.index, one.index)),
    );
    if (paths.length < tileWidth) continue;
    yield paths;
    paths = [];
  }
  if (paths.length > 0) yield paths;
};
