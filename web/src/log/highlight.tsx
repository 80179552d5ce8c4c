import { Fragment } from 'react';

/** The bare words and quoted phrases of a query, which are what can be seen in a message. */
export const wordsOf = (query: string): string[] => {
  const words: string[] = [];
  for (const [, negated, phrase, word] of query.matchAll(/(-|\bNOT\s+)?(?:"([^"]+)"|([^\s()"]+))/g)) {
    const text = phrase ?? word ?? '';
    if (negated !== undefined || text.length < 2 || /^(AND|OR|NOT)$/.test(text)) continue;
    if (phrase === undefined && /[:*~<>=|/]/.test(text)) continue;
    words.push(text.toLowerCase());
  }
  return words;
};

const longestMarked = 2_000;

/** Text with the words of the query marked. Both are plain text; nothing is taken as markup. */
export const Marked = ({ text, words }: { text: string; words: string[] }) => {
  const lower = text.toLowerCase();
  // Lower case may have another length than the text (İ); then positions do not carry over.
  if (words.length === 0 || text.length > longestMarked || lower.length !== text.length) return <>{text}</>;
  const parts: { at: number; text: string; marked: boolean }[] = [];
  let at = 0;
  while (at < text.length) {
    let start = -1;
    let length = 0;
    for (const word of words) {
      const found = lower.indexOf(word, at);
      if (found !== -1 && (start === -1 || found < start || (found === start && word.length > length))) {
        start = found;
        length = word.length;
      }
    }
    if (start === -1) break;
    if (start > at) parts.push({ at, text: text.slice(at, start), marked: false });
    parts.push({ at: start, text: text.slice(start, start + length), marked: true });
    at = start + length;
  }
  parts.push({ at, text: text.slice(at), marked: false });
  return (
    <>
      {parts.map((part) =>
        part.marked ? <mark key={part.at}>{part.text}</mark> : <Fragment key={part.at}>{part.text}</Fragment>,
      )}
    </>
  );
};
