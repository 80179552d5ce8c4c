import type { Finding, Option } from '#wire/audit';

/** A finding of one section; its id is completed with the section's name. */
type OfSection = (parts: Omit<Finding, 'section'>) => Finding;

export const patchesFinding: OfSection = ({ id, ...rest }) => ({
  id: `patches/${id}`,
  section: 'patches',
  ...rest,
});
export const loggingFinding: OfSection = ({ id, ...rest }) => ({
  id: `logging/${id}`,
  section: 'logging',
  ...rest,
});

export const patch = (action: string): Option => ({ step: 'patch', action });
export const configure = (action: string): Option => ({ step: 'configure', action });
export const investigate = (action: string): Option => ({ step: 'investigate', action });

/** Whole days from one RFC 3339 time to another. */
export const daysBetween = (from: string, until: string): number =>
  Math.floor((Date.parse(until) - Date.parse(from)) / 86_400_000);

export const dateOf = (time: string): string => time.slice(0, 10);

/** At most `limit` names, and how many more there are. */
export const some = (names: readonly string[], limit = 12): string =>
  names.length <= limit
    ? names.join(', ')
    : `${names.slice(0, limit).join(', ')} and ${names.length - limit} more`;

export const plural = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;
