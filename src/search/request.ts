import type { z } from 'zod';
import { SearchError } from './errors.ts';

/** A request's body in its form. @throws SearchError `bad-request` */
export const parseRequest = <T extends z.ZodType>(schema: T, body: unknown): z.output<T> => {
  const parsed = schema.safeParse(body);
  if (!parsed.success)
    throw new SearchError(
      'bad-request',
      `the request is not of the form that is taken here: ${parsed.error.issues.map(inWords).join('; ')}`,
    );
  return parsed.data;
};

const inWords = ({ path, message }: z.core.$ZodIssue): string =>
  path.length === 0 ? message : `${path.join('.')}: ${message}`;
