/**
 * Text folded at spaces to the terminal's width. The first line begins with `first`, the others with `rest`.
 * @param firstWidth columns that `first` takes on screen, where it holds colour codes
 */
export const wrap = (
  text: string,
  width: number,
  rest: string,
  first: string,
  firstWidth = first.length,
): string => {
  const room = Math.max(40, width);
  let line = first;
  let used = firstWidth;
  let out = '';
  for (const word of text.split(' ')) {
    if (used + word.length > room && used > rest.length) {
      out += `${line.trimEnd()}\n`;
      line = rest;
      used = rest.length;
    }
    line += `${word} `;
    used += word.length + 1;
  }
  return `${out}${line.trimEnd()}\n`;
};
