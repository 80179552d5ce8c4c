import { senderFields, type SenderField } from './expression.ts';

/** What may stand before a colon. */
export const fieldNames = [
  ...senderFields,
  'message',
  'severity',
  'facility',
  'pid',
  'address',
  'received',
  'since',
  'until',
  'around',
] as const;
export type FieldName = (typeof fieldNames)[number];

/** What others call them; `sender` and `program` are Papertrail's. */
const otherNames: Readonly<Record<string, FieldName>> = {
  hostname: 'host',
  sender: 'host',
  program: 'app',
  level: 'severity',
};

/** The field that a name means, letter case not counting; `null` if there is none. */
export const fieldNamed = (name: string): FieldName | null => {
  const lower = name.toLowerCase();
  return (
    fieldNames.find((known) => known === lower) ??
    (Object.hasOwn(otherNames, lower) ? (otherNames[lower] ?? null) : null)
  );
};

export const senderFieldNamed = (name: string): SenderField | null => {
  const field = fieldNamed(name);
  return senderFields.find((known) => known === field) ?? null;
};

/** The nearest of some names, at most two edits away (one, of a name with fewer than five letters). */
export const nearest = (name: string, known: readonly string[]): string | null => {
  const most = name.length < 5 ? 1 : 2;
  let found: string | null = null;
  let least = most + 1;
  for (const one of known) {
    const edits = distance(one, name.toLowerCase());
    if (edits < least) {
      found = one;
      least = edits;
    }
  }
  return found;
};

/** What somebody may mean by a name that is no field and near none. */
const likely: Readonly<Record<string, FieldName>> = {
  msg: 'message',
  text: 'message',
  process: 'app',
  ident: 'app',
  tag: 'app',
  service: 'app',
  unit: 'app',
  node: 'host',
  machine: 'host',
  ip: 'source',
  peer: 'source',
  priority: 'severity',
  before: 'until',
};

export const nearestField = (name: string): string | null => {
  const lower = name.toLowerCase();
  const meant = Object.hasOwn(likely, lower) ? likely[lower] : undefined;
  return meant ?? nearest(name, [...fieldNames, ...Object.keys(otherNames)]);
};

/** Optimal string alignment: insertions, deletions, substitutions, and neighbours that changed places. */
const distance = (a: string, b: string): number => {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1);
      next.push(edits);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
};
