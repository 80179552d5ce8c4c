/** The pieces of an expression, as far as they have to be told apart here. */
const kinds = {
  /** A group that sets flags is nothing by itself: a quantifier behind it repeats what stands before it. */
  flags: /\(\?[A-Za-z-]*\)/,
  /** Braces with anything else in them are characters, as in RE2. */
  quantifier: /(?:[*+?]|\{\d+(?:,\d*)?\})\??/,
  escaped: /\\[^0-9A-Za-z\u0080-\u{10ffff}]/u,
  unknown: /\\[dDwWsSbBAzaftnrv]|[.^$]|\[\^?\]?(?:\[:\^?[a-z]+:\]|\\[^Q]|[^\]\\])*\]/,
  literal: /[^\\[]/,
};
const piece = new RegExp(
  Object.entries(kinds)
    .map(([name, { source }]) => `(?<${name}>${source})`)
    .join('|'),
  'suy',
);

/** Small letters that RE2 also takes for a letter beyond ASCII where case does not count. */
const foldsBeyondAscii = /[ksKS]/;

/**
 * Texts that are in whatever a regular expression of RE2 matches, in their order; letter case does not count. What is inside
 * groups is not looked at, and of an expression with alternatives, or with an escape that names a character, nothing is
 * known.
 */
export const textsOfRegex = (source: string): string[] => {
  const ignoresCase = /\(\?[A-Za-z-]*i/.test(source);
  const texts: string[] = [];
  let text: string[] = [];
  let depth = 0;
  let repeated = false;
  const end = (): void => {
    if (text.length > 0) texts.push(text.join(''));
    text = [];
  };
  piece.lastIndex = 0;
  while (piece.lastIndex < source.length) {
    const { flags, quantifier, escaped, unknown, literal } = piece.exec(source)?.groups ?? {};
    const wasRepeated = repeated;
    repeated = false;
    if (quantifier !== undefined) {
      if (depth > 0) continue;
      if (wasRepeated) return [];
      repeated = true;
      if (/^(?:[*?]|\{0)/.test(quantifier)) text.pop();
      end();
    } else if (flags !== undefined) {
      end();
      repeated = true;
    } else if (unknown !== undefined) end();
    else if (literal === '(') {
      end();
      depth += 1;
    } else if (literal === ')') depth -= 1;
    else if (literal === '|' && depth === 0) return [];
    else {
      const character = escaped?.slice(1) ?? literal;
      if (character === undefined) return [];
      if (depth > 0) continue;
      if (ignoresCase && foldsBeyondAscii.test(character)) end();
      else text.push(character);
    }
  }
  end();
  return texts;
};
