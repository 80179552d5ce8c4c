import { z } from 'zod';
import type { Client, DoorName, Use } from './uses.ts';

const container = z.object({ manager: z.string(), id: z.string().nullable(), name: z.string().nullable() });
const times = { first: z.string(), last: z.string(), seen: z.int().nonnegative() };

/** A client of a door, and when it was seen. */
export type Noted = Use & {
  /** RFC 3339. */
  first: string;
  last: string;
  /** In how many samples. */
  seen: number;
};

const noted = z.object({
  door: z.object({
    protocol: z.string(),
    address: z.string(),
    port: z.number().nullable(),
    netns: z.number().nullable(),
  }),
  client: z.object({
    from: z.enum(['this host', 'elsewhere']),
    address: z.string().nullable(),
    to: z.string(),
    program: z
      .object({
        exe: z.string().nullable(),
        script: z.string().nullable(),
        user: z.string().nullable(),
        unit: z.string().nullable(),
        container: container.nullable(),
      })
      .nullable(),
    dialsOut: z.boolean(),
  }),
  ...times,
});

const kept = z.object({
  since: z.string(),
  watchedMs: z.number(),
  everyMs: z.number(),
  uses: z.array(noted),
});

/** Who has used which door, and for how long it was watched: "nobody" means nothing without that. */
export type UseBook = {
  /** RFC 3339: when watching began. */
  since: string;
  /** For how long it was watched, which is less than the time since where it was interrupted. */
  watchedMs: number;
  /** How often it was looked. */
  everyMs: number;
  uses: readonly Noted[];
};

/** @throws Error where the text is no such book */
export const parseBook = (text: string): UseBook => kept.parse(JSON.parse(text)) as UseBook;

/** Whoever scans ports could fill it; those seen last stay. */
const mostUses = 20_000;

const keyOf = (door: DoorName, client: Client): string => JSON.stringify([door, client]);

/** The book with one more sample in it. */
export const noteUses = (book: UseBook, uses: readonly Use[], now: string, watchedMs: number): UseBook => {
  const all = new Map(book.uses.map((one) => [keyOf(one.door, one.client), one]));
  const distinct = new Map(uses.map((one) => [keyOf(one.door, one.client), one]));
  for (const [key, { door, client }] of distinct) {
    const known = all.get(key);
    all.set(key, { door, client, first: known?.first ?? now, last: now, seen: (known?.seen ?? 0) + 1 });
  }
  const merged = [...all.values()];
  return {
    ...book,
    watchedMs: book.watchedMs + watchedMs,
    uses:
      merged.length <= mostUses
        ? merged
        : merged.toSorted((a, b) => (a.last < b.last ? 1 : -1)).slice(0, mostUses),
  };
};
