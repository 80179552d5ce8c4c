import { printable } from '#base/printable';
import type { Io } from './io.ts';

/** A plain table: columns as wide as their widest cell, the last one as it comes; control bytes escaped. */
export const table = (io: Io, head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const safe = rows.map((row) => row.map((cell) => printable(cell)));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...safe.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === head.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
  return `${io.paint('bold', line(head))}\n${safe.map((row) => `${line(row)}\n`).join('')}`;
};
