import type { Edit, KnobFacts } from './knob.ts';

/** What stands above everything that is written, after the file's comment sign. */
const mark = 'Written by Holdfast: this host alone. To undo: holdfast services undo';

/** A file of its own beside those that a package or an operator wrote. */
export const dropIn = (path: string, lines: readonly string[], comment = '#'): Edit => ({
  path,
  text: [`${comment} ${mark}`, ...lines, ''].join('\n'),
});

/** Lines below the mark at the end of a text. */
export const appended = (text: string, lines: readonly string[], comment = '#'): string =>
  `${text.replace(/\n*$/, '\n')}\n${[`${comment} ${mark}`, ...lines].join('\n')}\n`;

/** Each line that matches, as a comment. */
export const commentedOut = (text: string, pattern: RegExp, comment = '#'): string =>
  mapLines(text, (line) => (pattern.test(line) ? `${comment}${line}` : line));

export const mapLines = (text: string, change: (line: string) => string): string =>
  text.split('\n').map(change).join('\n');

/**
 * One directive with one value: what set it before becomes a comment, and the new line stands at the end, or where the
 * first of them stood.
 */
export const withDirective = (text: string, pattern: RegExp, line: string, comment = '#'): string => {
  let written = false;
  const lines = text.split('\n').flatMap((old) => {
    if (!pattern.test(old)) return [old];
    const instead = written ? [] : [line];
    written = true;
    return [`${comment}${old}`, ...instead];
  });
  return written ? lines.join('\n') : appended(text, [line], comment);
};

/** The files whose text a change makes different. */
export const editsOf = (
  files: KnobFacts['files'],
  paths: RegExp,
  change: (text: string, path: string) => string,
): Edit[] =>
  [...files].flatMap(([path, text]) => {
    if (!paths.test(path)) return [];
    const changed = change(text, path);
    return changed === text ? [] : [{ path, text: changed }];
  });

const loopback = /^(?:127(?:\.\d+){3}|\[?::1\]?|localhost|ip6-localhost|loopback-only|lo)$/i;

/** Whether a word of a configuration names this host alone. */
export const isLoopback = (word: string): boolean => loopback.test(word);

/** Whether all addresses in an effective value are of this host alone. */
export const isLocalValue = (value: string): boolean => {
  const words = value.split(/[\s,;]+/).filter((word) => word !== '');
  return words.length > 0 && words.every((word) => isLoopback(word.replace(/^-/, '')));
};

/** The loopback address of the family of an address: `::` and `fe80::1` → `::1`. */
export const loopbackOf = (address: string): string => (address.includes(':') ? '::1' : '127.0.0.1');

/** The ports of the doors, each once. */
export const portsOf = ({ doors }: Pick<KnobFacts, 'doors'>): number[] => [
  ...new Set(doors.flatMap(({ port }) => port ?? [])),
];
