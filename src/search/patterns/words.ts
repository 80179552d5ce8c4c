import { variable } from '#index';

/** What can be folded further: a text of words, of one program. */
export type Foldable = { app: string; template: string };

/** Templates that are one. */
export type Folded<T extends Foldable> = { template: string; of: T[] };

/**
 * So many different words in one place, in texts that are the same elsewhere, are values; fewer may be kinds, such as
 * `opened` and `closed`. Where other values stand already fewer are enough; where next to nothing else is fixed, as in
 * `status unpacked <*>`, more are needed. What was folded is looked at again with a higher bound, as there the words of
 * other places do not count any more.
 */
const leastWords = [5, 10];
const leastBesideValues = 3;
const leastBesideOneWord = 10;

/** Words beyond this are not looked at. */
const mostWords = 200;

/**
 * Folds templates of one program and one build (the same number of words, between the same marks) that differ only in
 * words that are values: names of users, packages, hosts. At least half of the words must be the same in all.
 */
export const foldWords = <T extends Foldable>(templates: readonly T[]): Folded<T>[] => {
  let folded: Folded<T>[] = templates.map((one) => ({ template: one.template, of: [one] }));
  for (const least of leastWords) {
    const builds = new Map<string, Member<T>[]>();
    for (const { template, of } of folded) {
      const { words, marks } = wordsOf(template);
      const build = JSON.stringify([of[0]?.app, marks]);
      const members = builds.get(build);
      const member = { words, marks, of };
      if (members === undefined) builds.set(build, [member]);
      else members.push(member);
    }
    folded = [...builds.values()].flatMap((members) => foldMembers(members, least));
  }
  return folded;
};

/** `marks[i]` stands before `words[i]`; the last one at the end. */
type Member<T> = { words: string[]; marks: string[]; of: T[] };

const separators = /([\s=,;()[\]"'|]+)/;

const wordsOf = (template: string): { words: string[]; marks: string[] } => {
  const parts = template.split(separators);
  const words: string[] = [];
  const marks: string[] = [''];
  parts.forEach((part, at) => (at % 2 === 0 ? words : marks).push(part));
  return { words, marks };
};

const foldMembers = <T extends Foldable>(members: Member<T>[], least: number): Folded<T>[] => {
  const [first] = members;
  if (first === undefined) return [];
  const places = first.words
    .slice(0, mostWords)
    .map((_, at) => new Set(members.map(({ words }) => words[at] ?? '')));
  const differing = places.flatMap((words, at) => (words.size > 1 ? [{ at, words }] : []));
  if (differing.length === 0) return unchanged(members);
  const fixed = places.filter((words) => words.size === 1 && !words.has(variable) && !words.has('')).length;
  const enough = (words: ReadonlySet<string>): number =>
    Math.max(
      words.has(variable) ? leastBesideValues : least,
      fixed === 1 ? leastBesideOneWord : 0,
      Math.sqrt(members.length),
    );
  const areValues = differing.every(({ words }) => words.size >= enough(words));
  if (areValues && fixed >= differing.length) {
    const words = first.words.map((word, at) => ((places[at]?.size ?? 1) > 1 ? variable : word));
    const template =
      words.map((word, at) => `${first.marks[at] ?? ''}${word}`).join('') + (first.marks[words.length] ?? '');
    return [{ template, of: members.flatMap(({ of }) => of) }];
  }
  const { at } = differing.reduce((few, place) => (place.words.size < few.words.size ? place : few));
  return [...Map.groupBy(members, ({ words }) => words[at]).values()].flatMap((some) =>
    foldMembers(some, least),
  );
};

/** All words are the same, as far as they are looked at. */
const unchanged = <T extends Foldable>(members: Member<T>[]): Folded<T>[] => {
  const texts = Map.groupBy(
    members,
    ({ words, marks }) =>
      words.map((word, at) => `${marks[at] ?? ''}${word}`).join('') + (marks[words.length] ?? ''),
  );
  return [...texts].map(([template, some]) => ({ template, of: some.flatMap(({ of }) => of) }));
};
