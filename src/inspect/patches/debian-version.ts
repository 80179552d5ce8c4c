/**
 * Orders Debian version strings as dpkg does (deb-version(7), dpkg's lib/dpkg/version.c): `[epoch:]upstream[-revision]`,
 * compared by alternating runs of non-digits (`~` before the end, the end before letters, letters before the rest) and
 * of digits (as numbers). Negative if `a` is older, 0 if equal, positive if newer.
 */
export const compareDebianVersions = (a: string, b: string): number => {
  const [left, right] = [split(a), split(b)];
  return (
    left.epoch - right.epoch ||
    compareRuns(left.upstream, right.upstream) ||
    compareRuns(left.revision, right.revision)
  );
};

const split = (version: string): { epoch: number; upstream: string; revision: string } => {
  const colon = version.indexOf(':');
  const epoch = colon < 0 ? 0 : Number(version.slice(0, colon)) || 0;
  const rest = colon < 0 ? version : version.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  return hyphen < 0
    ? { epoch, upstream: rest, revision: '' }
    : { epoch, upstream: rest.slice(0, hyphen), revision: rest.slice(hyphen + 1) };
};

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
};

/** Weight of a character that is not a digit; the end of the string and a digit weigh 0. */
const weight = (text: string, at: number): number => {
  if (at >= text.length || isDigit(text, at)) return 0;
  const character = text.charAt(at);
  if (character === '~') return -1;
  return /[A-Za-z]/.test(character) ? text.charCodeAt(at) : text.charCodeAt(at) + 256;
};

const compareRuns = (a: string, b: string): number => {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = weight(a, i) - weight(b, j);
      if (difference !== 0) return difference;
      i += 1;
      j += 1;
    }
    const [digitsA, digitsB] = [digits(a, i), digits(b, j)];
    const [numberA, numberB] = [BigInt(digitsA || '0'), BigInt(digitsB || '0')];
    if (numberA !== numberB) return numberA < numberB ? -1 : 1;
    i += digitsA.length;
    j += digitsB.length;
  }
  return 0;
};

const digits = (text: string, from: number): string => {
  let end = from;
  while (end < text.length && isDigit(text, end)) end += 1;
  return text.slice(from, end);
};
