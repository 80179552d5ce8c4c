import type { FastifyInstance } from 'fastify';
import { counts, type Counts } from '#wire/counts';
import { answer, type Answer } from '#wire/search';
import type { CountsAnswer } from '#wire/console';
import { printable } from '#base/printable';
import { parseRequest } from '../../api-error.ts';
import { ConsoleError } from '../../errors.ts';
import type { SearchSocket } from '../../search-socket.ts';
import { shown } from '../../shown.ts';
import { whoOf } from '../../who.ts';
import { closing } from '../closing.ts';
import { countsBody } from './schema.ts';

/** `POST /api/counts` */
export const addCounts = (app: FastifyInstance, search: SearchSocket): void => {
  app.post('/api/counts', async (request, reply): Promise<CountsAnswer> => {
    const body = parseRequest(countsBody, request.body);
    let counted: Counts | null = null;
    let answered: Answer | null = null;
    for await (const line of await search.lines('/counts', body, whoOf(request), closing(reply))) {
      const asCounts = counts.safeParse(line);
      if (asCounts.success) counted = asCounts.data;
      else answered = answerOf(line);
    }
    if (counted === null || answered === null)
      throw new ConsoleError('search-away', 'search broke off before the end of its answer; search again');
    return { ...shownCounts(counted), ...shown(answered) };
  });
};

const answerOf = (line: unknown): Answer => {
  const parsed = answer.safeParse(line);
  if (parsed.success) return parsed.data;
  throw new ConsoleError('search-garbled', "a line of search's answer is neither counts nor the answer", {
    cause: parsed.error,
  });
};

/** Values are text of lines. */
const shownCounts = ({ counts: { groups, ...rest } }: Counts): Counts => ({
  counts: {
    ...rest,
    groups: groups.map(({ values, count }) => ({
      values: values.map((value) => (value === null ? null : printable(value))),
      count,
    })),
  },
});
