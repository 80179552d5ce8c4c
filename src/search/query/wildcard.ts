import { addressText, addressTextMatcher } from './address-text.ts';
import type { NameQuestion } from './expression.ts';
import type { Value } from './tokens.ts';

/** Whether a `*` in it stands for any characters. */
export const hasWildcard = (value: Value): boolean => !value.quoted && value.text.includes('*');

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
  const pattern = new RegExp(
    `^${wanted
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
  return (name) => pattern.test(name.toLowerCase());
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
