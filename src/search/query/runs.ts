import type { Words } from '#index';
import { addressText, isAddress, isManyForms, wholeAddresses } from './address-text.ts';
import { addressConditions, type Binder, type Names } from './binder.ts';
import type { Expression } from './expression.ts';
import { textsOfRegex } from './regex-texts.ts';
import type { Value } from './tokens.ts';
import { matchesAll } from './wildcard.ts';

/**
 * A run of ASCII letters and digits in a text, in small letters, and where in a word of the token index it stands:
 * `whole` if what is beside it in the text ends the word on both sides.
 */
export type Run = { text: string; place: 'whole' | 'begin' | 'end' | 'anywhere' };

/** The words that have a run in its place; `many` where that is not known, or they are too many to list. */
export type KnownWords = (run: Run) => readonly string[] | 'many';

export const runsOf = ({ text, quoted }: Pick<Value, 'text' | 'quoted'>): Run[] =>
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

/** Those of a field's name before its `=`. A letter beyond ASCII may stand before it, and makes its first run longer. */
export const nameRuns = (name: string): Run[] => runsOf({ text: `${name}=`, quoted: true });

/** Those of whatever a regular expression matches. */
export const regexRuns = (source: string): Run[] =>
  textsOfRegex(source).flatMap((text) => runsOf({ text, quoted: true }));

/** Looks up the runs of the texts that each line must have in its message. */
export const lookUpWords = async (
  expression: Expression,
  names: Names,
  words: Pick<Words, 'containing'>,
): Promise<KnownWords> => {
  const known = new Map<string, readonly string[] | 'many'>();
  for (const part of everyPart(expression)) {
    for (const { text, place } of runsToLookUp(part, names)) {
      const key = `${place} ${text}`;
      if (place !== 'whole' && !known.has(key)) known.set(key, await words.containing(text, place));
    }
  }
  return ({ text, place }) => known.get(`${place} ${text}`) ?? 'many';
};

const runsToLookUp = (part: Expression, names: Names): readonly Run[] => {
  if (part.kind === 'named')
    return nameRuns(part.name).filter(({ place, text }) => place !== 'whole' && !isShortHex(text));
  if (part.kind === 'regex') return worthLooking(regexRuns(part.source));
  const value = textInMessage(part, names);
  if (value === null) return [];
  // Of an address it is known where each run of digits ends.
  const hasAddressAtEdge = addressText(value) !== null;
  return worthLooking(runsOf(value).filter(({ text }) => !(hasAddressAtEdge && /^[0-9]+$/.test(text))));
};

const worthLooking = (runs: readonly Run[]): Run[] =>
  runs.filter(({ place, text }) => place !== 'whole' && text.length >= shortest).slice(0, mostOfText);

/** One in so many hexadecimal words (hashes, addresses) ends with it that to list them is work for nothing. */
const isShortHex = (text: string): boolean => text.length < shortest && /^[0-9a-f]+$/.test(text);

/** What must be true of each line that matches. */
export const everyPart = (expression: Expression): readonly Expression[] =>
  expression.kind === 'and' ? expression.of.flatMap(everyPart) : [expression];

/** The text that a part asks of the message itself: `null` where a name may have it instead, or words do not tell. */
export const textInMessage = (part: Expression, names: Names): Value | null => {
  if (part.kind !== 'text') return null;
  const { value, where } = part;
  if (matchesAll(value) || isManyForms(value)) return null;
  const isInName = (['app', 'host'] as const).some((field) => {
    const found = names({ field, value, ask: 'inside' });
    return found === 'many' || found.length > 0;
  });
  return where === 'anywhere' && isInName ? null : value;
};

/** What must be true of the words of a message that has the text. */
export const textConditions = (value: Value, known: KnownWords, binder: Binder): string[] => {
  // The numbers of an address are in nearly every message, so these are not asked for as well.
  const { rest } = wholeAddresses(value);
  return [
    ...addressConditions(value, binder),
    ...runConditions(runsOf({ ...value, text: rest }), known, binder),
  ];
};

/** What must be true of the words of a message that has the runs. */
export const runConditions = (runs: readonly Run[], known: KnownWords, binder: Binder): string[] => {
  const whole = [...new Set(runs.filter(({ place }) => place === 'whole').map(({ text }) => text))];
  const lists = runs.flatMap((run) => listOf(run, known));
  return [
    ...(whole.length === 0 ? [] : [`hasAllTokens(message, ${binder.bind('Array(String)', whole)})`]),
    ...lists.map((words) => `hasAnyTokens(message, ${binder.bind('Array(String)', words)})`),
  ];
};

/** The words of a run that is not one itself; none or one list of them. */
const listOf = (run: Run, known: KnownWords): (readonly string[])[] => {
  const words = run.place === 'whole' ? 'many' : known(run);
  return words === 'many' ? [] : [words];
};

/** Whether a message contains the text if its words are what `runConditions` says. */
export const isToldByWords = (value: Value, known: KnownWords): boolean => {
  if (isAddress(value)) return true;
  const [run, ...others] = runsOf(value);
  return (
    run !== undefined &&
    others.length === 0 &&
    listOf(run, known).length === 1 &&
    run.text === value.text.toLowerCase()
  );
};
