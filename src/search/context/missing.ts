import type { IndexState } from '#index';

export type Asked = { entry: number; line: number; part: number | null };

/** Why there is no such line in the index, as far as it can be told. */
export const whyMissing = (
  { indexed, committed, altered, withdrawn }: IndexState,
  { entry, line, part }: Asked,
): string => {
  const shown = `${entry}:${line}${part === null ? '' : `/${part}`}`;
  if (line === 0) return `${shown} is the manifest of entry ${entry}, and no line: lines count from 1`;
  if (entry >= committed)
    return committed === 0
      ? `there is no line ${shown}: nothing is committed yet`
      : `there is no line ${shown}: the newest entry of the vault is ${committed - 1}`;
  if (entry >= indexed)
    return `line ${shown} is not indexed yet: the index has ${indexed} of ${committed} entries; ask again in a moment`;
  const damage = altered.find((one) => one.entry === entry);
  if (damage !== undefined)
    return `the lines of entry ${entry} are not in the index, as it is not what was committed (${damage.reason}): put its file back from a copy of the vault`;
  const gone = withdrawn.find(
    (one) =>
      (one.line === null || one.line === line) &&
      one.ranges.some(([first, end]) => entry >= first && entry < end),
  );
  if (gone !== undefined) return `line ${shown} was ${gone.kind} under entry ${gone.amendment}`;
  return `there is no line ${shown} in the index: entry ${entry} has no such line, or it is one that was delivered again and is shown once, under another address`;
};
