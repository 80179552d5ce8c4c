import { printable } from '#base/printable';
import type { Hit, SenderFigures, Source } from '#wire/search';

/**
 * What leaves for the browser. Log text is written by strangers: control and bidirectional characters go out as
 * visible escapes, so that no line can reorder or hide what a reader sees. `raw` stays exact (base64).
 */

const orNull = (text: string | null): string | null => (text === null ? null : printable(text));

/** A field that came more than once has its values one per line; line breaks inside a value are escaped already. */
const printableLines = (values: string): string => values.split('\n').map(printable).join('\n');

export const shownHit = (hit: Hit): Hit => ({
  ...hit,
  host: orNull(hit.host),
  source: printable(hit.source),
  app: orNull(hit.app),
  facility: orNull(hit.facility),
  severity: orNull(hit.severity),
  message: printable(hit.message),
  fields: Object.fromEntries(
    Object.entries(hit.fields).map(([name, value]) => [printable(name), printableLines(value)]),
  ),
  via: printable(hit.via),
});

export const shownSource = (source: Source): Source => ({
  ...source,
  host: orNull(source.host),
  app: orNull(source.app),
  source: printable(source.source),
  via: printable(source.via),
});

export const shownSender = (figures: SenderFigures): SenderFigures => ({
  ...figures,
  sender: orNull(figures.sender),
  names: figures.names.map(printable),
  via: figures.via.map(printable),
  causes: figures.causes.map((one) => ({ ...one, kind: printable(one.kind), cause: printable(one.cause) })),
});

/** Escapes every string of a JSON value, keys excepted: for reports, whose keys are the product's own. */
export const shownJson = (value: unknown): unknown => {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(shownJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shownJson(inner)]));
};

/** An answer of search with every string escaped; it keeps its shape. */
export const shown = <T>(value: T): T => shownJson(value) as T;
