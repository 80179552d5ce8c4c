import { addressText, addressTextMatcher } from './address-text.ts';
import type { NameQuestion } from './expression.ts';
import type { Value } from './tokens.ts';

/** Whether a `*` in it stands for any characters. */
export const hasWildcard = (value: Value): boolean => !value.quoted && value.text.includes('*');

/** Whether every text contains it. */
export const matchesAll = (value: Value): boolean =>
  value.text === '' || (hasWildcard(value) && /^\*+$/.test(value.text));

/** The value as a pattern for LIKE, which has `%`, `_` and `\`. */
export const likePattern = (value: Value): string => {
  const escaped = likeEscape(value.text);
  return value.quoted ? escaped : escaped.replaceAll('*', '%');
};

/** The pattern for LIKE of a text that contains the value. */
export const containedPattern = (value: Value): string => `%${likePattern(value)}%`;

export const likeEscape = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** Whether a name is what the value asks for; letter case does not count. */
export const nameMatcher = (value: Value): ((name: string) => boolean) => {
  const wanted = value.text.toLowerCase();
  if (!hasWildcard(value)) return (name) => name.toLowerCase() === wanted;
  const [first = '', ...parts] = wanted.split(/\*+/);
  const last = parts.pop() ?? '';
  return (name) => matchesParts(name.toLowerCase(), first, parts, last);
};

/** Each part is taken where it stands first, so that the time is that of one pass however many stars there are. */
const matchesParts = (name: string, first: string, parts: readonly string[], last: string): boolean => {
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
};

/** Whether a name contains what the value asks for. */
export const containsMatcher = (value: Value): ((name: string) => boolean) => {
  const address = addressText(value);
  if (address !== null) return addressTextMatcher(address);
  if (hasWildcard(value)) return nameMatcher({ ...value, text: `*${value.text}*` });
  const wanted = value.text.toLowerCase();
  return (name) => name.toLowerCase().includes(wanted);
};

/** Whether a name is one of those asked for. */
export const questionMatcher = (question: NameQuestion): ((name: string) => boolean) => {
  switch (question.ask) {
    case 'network':
      return question.network.contains;
    case 'whole':
      return nameMatcher(question.value);
    case 'inside':
      return containsMatcher(question.value);
  }
};
