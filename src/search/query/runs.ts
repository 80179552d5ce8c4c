import type { Words } from '#index';
import { addressText } from './address-text.ts';
import type { Binder } from './binder.ts';
import type { Expression } from './expression.ts';
import type { Value } from './tokens.ts';

/**
 * A run of ASCII letters and digits in a text, in small letters, and where in a word of the token index it stands:
 * `whole` if what is beside it in the text ends the word on both sides.
 */
export type Run = { text: string; place: 'whole' | 'begin' | 'end' | 'anywhere' };

/** The words that have a run in its place; `many` where that is not known, or they are too many to list. */
export type KnownWords = (run: Run) => readonly string[] | 'many';

export const runsOf = ({ text, quoted }: Value): Run[] =>
  [...text.matchAll(/[0-9A-Za-z]+/g)].map((match) => {
    const begins = endsWord(text[match.index - 1], quoted);
    const ends = endsWord(text[match.index + match[0].length], quoted);
    const place = begins ? (ends ? 'whole' : 'begin') : ends ? 'end' : 'anywhere';
    return { text: match[0].toLowerCase(), place };
  });

/** Whether a character is none of a word. At the edge of the text, and for a `*`, nobody knows; beyond ASCII it is one. */
const endsWord = (beside: string | undefined, quoted: boolean): boolean =>
  beside !== undefined && beside < '\u0080' && (quoted || beside !== '*');

/** Short ones have too many words. */
const shortest = 3;
/** Of one text so many are looked up; the others would hardly narrow it further. */
const mostOfText = 4;

/** Looks up the runs of the texts that each line must have. */
export const lookUpWords = async (expression: Expression, words: Words): Promise<KnownWords> => {
  const known = new Map<string, readonly string[] | 'many'>();
  for (const value of textsIn(expression)) {
    const parts = runsOf(value).filter(({ place, text }) => place !== 'whole' && text.length >= shortest);
    for (const { text, place } of parts.slice(0, mostOfText)) {
      const key = `${place} ${text}`;
      if (place !== 'whole' && !known.has(key)) known.set(key, await words.containing(text, place));
    }
  }
  return ({ text, place }) => known.get(`${place} ${text}`) ?? 'many';
};

/** Texts of which each line that matches must have all: in its message, or perhaps in a name. */
const textsIn = (expression: Expression): Value[] =>
  everyPart(expression).flatMap((part) =>
    part.kind === 'text' && addressText(part.value) === null ? [part.value] : [],
  );

/** What must be true of each line that matches. */
export const everyPart = (expression: Expression): readonly Expression[] =>
  expression.kind === 'and' ? expression.of : [expression];

/**
 * What the words of a message must be for it to contain a text.
 * @returns `isAll`: and if they are, it does
 */
export const wordsSql = (
  value: Value,
  known: KnownWords,
  binder: Binder,
): { conditions: string[]; isAll: boolean } => {
  const runs = runsOf(value);
  const whole = [...new Set(runs.filter(({ place }) => place === 'whole').map(({ text }) => text))];
  const lists = runs.flatMap((run) => {
    const words = run.place === 'whole' ? 'many' : known(run);
    return words === 'many' ? [] : [words];
  });
  return {
    conditions: [
      ...(whole.length === 0 ? [] : [`hasAllTokens(message, ${binder.bind('Array(String)', whole)})`]),
      ...lists.map((words) => `hasAnyTokens(message, ${binder.bind('Array(String)', words)})`),
    ],
    isAll: runs.length === 1 && lists.length === 1 && runs[0]?.text === value.text.toLowerCase(),
  };
};
