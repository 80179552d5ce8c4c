import { printable } from '#base/printable';
import type { Index } from '#index';
import type { Expression, NameQuestion } from './query/expression.ts';
import { fieldNamed, nearest } from './query/field-names.ts';
import { hasWildcard, nameMatcher } from './query/wildcard.ts';

const mostNamed = 4;

/**
 * What may explain that less was found than somebody expects: names that nobody has, and words that mean something only
 * in capitals.
 * @param count lines that were found
 */
export const hintsOf = (index: Index, expression: Expression, count: number): string[] => [
  ...new Set(wanted(expression).flatMap((one) => hintOf(index, one, count))),
];

/** All that is asked for and not left out. */
const wanted = (expression: Expression): Expression[] =>
  expression.kind === 'and' || expression.kind === 'or'
    ? expression.of.flatMap(wanted)
    : expression.kind === 'not'
      ? []
      : [expression];

const hintOf = (index: Index, expression: Expression, count: number): string[] => {
  if (expression.kind === 'sender') return nameHint(index, expression.question);
  if (expression.kind !== 'text' || count > 0 || expression.value.quoted) return [];
  const hint = habitHint(expression.value.text);
  return hint === null ? [] : [hint];
};

/** What other programs understand, and what is text here. */
const habitHint = (text: string): string | null => {
  if (/^(?:and|or|not)$/.test(text))
    return `"${text}" was looked for as a word of the line; ${text.toUpperCase()} in capitals joins words`;
  const asText = `"${text}" was looked for as text`;
  if (/^\|\|?$/.test(text)) return `${asText}; OR in capitals finds lines with either`;
  if (/^&&?$/.test(text)) return `${asText}; words are joined by AND as they stand`;
  if (/^![\w"(]/.test(text)) return `${asText}; ${text.replace('!', '-')} leaves lines out`;
  if (/^(?:==?|!=|<=|>=|=>|<|>)$/.test(text))
    return `${asText}; no space may stand around it: name${text.replace(/^==$/, '=').replace('=>', '>=')}value`;
  if (/^[“”„‘’«»]/.test(text)) return `${asText}; a phrase stands in straight quotes: "…"`;
  const [, name = '', sign = '', value = ''] =
    /^([A-Za-z_][\w.@-]*)(:|==|=>|=~|!=|<=|>=|=|<|>)(.*)$/.exec(text) ?? [];
  if (name !== '' && value === '' && (sign !== ':' || fieldNamed(name) !== null))
    return `${asText}; no space may stand behind it: ${text}value`;
  if (sign === '==' || sign === '=>') return `${asText}; write ${name}${sign === '==' ? '=' : '>='}${value}`;
  if (sign === '=~') return `${asText}; write /${value}/, or ${name}=*${value}*`;
  return null;
};

const called: Readonly<Record<NameQuestion['field'], string>> = {
  host: 'host',
  app: 'program',
  source: 'source',
  via: 'way in',
  listener: 'listener',
};

const nameHint = (index: Index, question: NameQuestion): string[] => {
  if (question.ask !== 'whole' || hasWildcard(question.value) || index.senders.others() !== null) return [];
  const { field, value } = question;
  const names = new Set<string>();
  for (const sender of index.senders.all()) names.add(sender[field]);
  if ([...names].some(nameMatcher(value))) return [];
  const text = value.text.toLowerCase();
  const inside = [...names].filter((name) => text !== '' && name.toLowerCase().includes(text));
  const close = nearest(
    text,
    [...names].map((name) => name.toLowerCase()),
  );
  const near = inside.length > 0 ? inside.toSorted() : close === null ? [] : [close];
  const listed = near.length === 0 ? '' : `: there is ${near.slice(0, mostNamed).map(printable).join(', ')}`;
  const more = near.length > mostNamed ? ` and ${near.length - mostNamed} more` : '';
  const all = inside.length > 0 ? `; ${field}:*${value.text}* finds all that contain it` : '';
  const signs = /^\/.*\/$|[?[\]]/.test(value.text) ? '; of signs only * stands for other text' : '';
  return [`no ${called[field]} is named "${value.text}"${listed}${more}${all}${signs}`];
};
