/** Longer messages are told apart by this much of them. */
const longest = 2048;

/** Stands for what differs from line to line. */
export const variable = '<*>';

/**
 * In order: a quoted text; `name=value`; a URL or path; a run of letters, digits and what binds them in addresses, times
 * and identifiers.
 */
const parts =
  /"[^"]*"|(?<![A-Za-z0-9])'[^']*'(?![A-Za-z0-9])|[A-Za-z_][A-Za-z0-9_.-]*=(?:"[^"]*"|(?:\[[^\s\]]*\]|[^\s"',;)\]])*)|(?:[a-z][a-z0-9+.-]*:\/)?\/[^\s"',;)\]]+|[A-Za-z0-9_.:@%+~-]+/g;

/** A list of any length is one variable. */
const lists = /<\*>(?:(?:[,;:]? ?|\.)<\*>)+/g;

/**
 * The form of a message without what differs from one to the next: numbers, addresses, times, identifiers, paths, quoted
 * texts and the values of `name=value` become `<*>`. Pure; the same message always has the same template.
 *
 *     Failed password for root from 10.0.0.5 port 22 → Failed password for root from <*> port <*>
 */
export const messageTemplate = (message: string): string =>
  message.slice(0, longest).replace(parts, folded).replace(lists, variable).replace(/\s+/g, ' ').trim();

const folded = (part: string): string => {
  const first = part[0] ?? '';
  if (first === '"' || first === "'") return `${first}${variable}${first}`;
  const equals = part.indexOf('=');
  if (equals > 0) return `${foldedName(part.slice(0, equals))}=${variable}`;
  if (part.includes('/')) return variable;
  // What ends a sentence or a clause is no part of the word before it.
  const [, word = part, end = ''] = /^(.*?)([.:]*)$/.exec(part) ?? [];
  return /\d/.test(word) || /^[^@]+@[^@]+$/.test(word) ? `${variable}${end}` : part;
};

const foldedName = (name: string): string => name.replace(/\d+/g, variable);
