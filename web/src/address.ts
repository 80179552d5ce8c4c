/** What the main part of the page shows. */
export const views = ['lines', 'counts', 'patterns', 'files', 'saved', 'alerts'] as const;
export type View = (typeof views)[number];

/** What the address bar holds, so that what is seen can be kept and sent to a colleague on the same machine. */
export type Address = {
  q: string;
  /** Follow the log; on unless the address says `live=0`. */
  live: boolean;
  view: View;
  /** Counts: by these names, with commas between them. */
  by: string;
  /** Patterns: only those that are new since. */
  since: string;
  /** Files: where in the tree. */
  path: string;
};

const usual: Address = { q: '', live: true, view: 'lines', by: 'host,app', since: '', path: '' };

const viewNamed = (name: unknown): View => views.find((view) => view === name) ?? usual.view;

/** Of what the router has, whatever it is. */
export const asAddress = (given: Record<string, unknown>): Address => {
  const text = (name: 'q' | 'by' | 'since' | 'path'): string => {
    const value = given[name];
    return typeof value === 'string' ? value : usual[name];
  };
  return {
    q: text('q'),
    live: given['live'] !== false,
    view: viewNamed(given['view']),
    by: text('by'),
    since: text('since'),
    path: text('path'),
  };
};

/** The router writes back what it reads and compares: this and `writeAddress` are each other's inverse. */
export const readAddress = (text: string): Address => {
  const { live, ...given } = Object.fromEntries(new URLSearchParams(text));
  return asAddress({ ...given, live: live !== '0' });
};

/** What is as usual is left out. */
export const writeAddress = (given: Record<string, unknown>): string => {
  const { live, ...texts } = asAddress(given);
  const { live: _, ...left } = usual;
  const unchanged = new Map(Object.entries(left));
  const search = new URLSearchParams(
    Object.entries(texts).filter(([name, value]) => value !== unchanged.get(name)),
  );
  if (!live) search.set('live', '0');
  return search.size === 0 ? '' : `?${search}`;
};
