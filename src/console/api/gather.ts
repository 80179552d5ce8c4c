import type { z } from 'zod';
import { ConsoleError } from '../errors.ts';

/**
 * An answer of search as one value: the lines that fit `line`, and what the objects around them say together.
 * @throws ConsoleError search-away where its end is not there
 */
export const gather = async <Line, Rest>(
  lines: AsyncIterable<unknown>,
  line: z.ZodType<Line>,
  rest: z.ZodType<Rest>,
): Promise<{ lines: Line[]; rest: Rest }> => {
  const found: Line[] = [];
  const said = {};
  for await (const one of lines) {
    const parsed = line.safeParse(one);
    if (parsed.success) found.push(parsed.data);
    else if (typeof one === 'object' && one !== null) Object.assign(said, one);
  }
  const parsed = rest.safeParse(said);
  if (parsed.success) return { lines: found, rest: parsed.data };
  throw new ConsoleError('search-away', 'search broke off before the end of its answer; ask again', {
    cause: parsed.error,
  });
};
