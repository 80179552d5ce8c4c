const widest = 72;

/** The line of the text in which the column is, and a caret below it. */
export const caretBelow = (text: string, column: number): string => {
  const from = text.lastIndexOf('\n', column - 1) + 1;
  const end = text.indexOf('\n', column);
  const line = text.slice(from, end === -1 ? undefined : end);
  return excerptAround(line, column - from);
};

/** Of a line that would be wrapped on a terminal only what is around the place: else the caret would stand anywhere. */
const excerptAround = (line: string, place: number): string => {
  const start = line.length <= widest ? 0 : Math.max(0, Math.min(place - widest / 2, line.length - widest));
  const before = start > 0 ? '…' : '';
  const after = start + widest < line.length ? '…' : '';
  return `\n  ${before}${line.slice(start, start + widest)}${after}\n  ${' '.repeat(before.length + place - start)}^`;
};
