import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What rotation and compression put behind a name: `syslog.2.gz`, `app.log-20260512.xz`, `app-20260512.log`. */
const compressed = /\.(gz|zst|zstd|xz|bz2)$/;
const numbered = /\.(\d{1,5})$/;
const dated = /[-.](\d{4})-?(\d{2})-?(\d{2})(?:[-_T]?\d{2,6})?(?=$|\.[a-z]+$)/;

/** A file's name before it was rotated, and which of its set it is: lower is older. */
const placeOf = (path: string): { stem: string; age: number } => {
  const plain = basename(path).replace(compressed, '');
  const number = numbered.exec(plain)?.[1];
  if (number !== undefined) return { stem: plain.replace(numbered, ''), age: -Number(number) };
  const [, year, month, day] = dated.exec(plain) ?? [];
  if (year === undefined) return { stem: plain, age: Number.POSITIVE_INFINITY };
  return { stem: plain.replace(dated, ''), age: Number(`${year}${month}${day}`) - 1e9 };
};

/**
 * The end of the day that stands in the name of a rotated file, in milliseconds since the epoch; `null` if none does.
 * What is in the file was written by then.
 */
export const dayInName = (path: string): number | null => {
  const [, year, month, day] = dated.exec(basename(path).replace(compressed, '')) ?? [];
  const start = year === undefined ? Number.NaN : Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  return Number.isNaN(start) ? null : start + 86_400_000;
};

/** Each set of rotated files from its oldest to its newest; sets by name. */
export const inRotatedOrder = (paths: readonly string[]): string[] =>
  paths
    .map((path) => ({ path, directory: dirname(path), ...placeOf(path) }))
    .sort(
      (a, b) =>
        compare(a.directory, b.directory) ||
        compare(a.stem, b.stem) ||
        a.age - b.age ||
        compare(a.path, b.path),
    )
    .map(({ path }) => path);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Regular files in a directory and below, without following links. @throws the system's error */
export const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  });
