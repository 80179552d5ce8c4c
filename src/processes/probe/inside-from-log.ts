import { z } from 'zod';
import type { InsideView } from '#advise';
import type { StateDirectory } from '#base/state';
import { CliError } from '#cli';
import { callSearch } from '#cli/search-socket';
import { hit } from '#wire/search';
import { insideDoor } from './inside.ts';

const fact = z.looseObject({ kind: z.literal('fact'), name: z.string(), value: z.unknown() });

const mostFacts = 20_000;

/**
 * What the host's agent said of its listeners last.
 * @returns `null` where the log has nothing of it, or nobody searches here
 */
export const insideFromLog = async (
  state: StateDirectory,
  host: string,
): Promise<{ view: InsideView; asOf: string } | null> => {
  const newest = new Map<string, unknown>();
  let asOf = '';
  try {
    for await (const line of callSearch(state, 'POST', '/search', {
      query: `app:holdfast via:fact host:"${host}"`,
      limit: mostFacts,
      total: 'skip',
    })) {
      const found = hit.safeParse(line);
      const said = found.success ? factIn(found.data.raw) : null;
      if (said === null || !found.success) continue;
      // The newest come last.
      newest.set(said.name, said.value);
      asOf = found.data.received;
    }
  } catch (error) {
    if (error instanceof CliError && error.code === 'not-running') return null;
    throw error;
  }
  const doors = [...newest].flatMap(([name, value]) =>
    // All listeners of one endpoint; `null` where there is none any more.
    name.startsWith('listener ') && Array.isArray(value) ? value.flatMap((one) => checked(host, one)) : [],
  );
  const gaps = newest.get('listeners could-not-look');
  if (doors.length === 0) return null;
  return { view: { doors, extent: Array.isArray(gaps) && gaps.length === 0 ? 'whole' : 'partial' }, asOf };
};

/** Its agent's words are its own: what does not fit is said, and is no fault of this program. */
const checked = (host: string, value: unknown): ReturnType<typeof insideDoor> => {
  try {
    return insideDoor(value);
  } catch (error) {
    throw new CliError(
      'could-not-look',
      `what the agent of ${host} said of its listeners is not understood: give --inside or --through`,
      { cause: error },
    );
  }
};

const factIn = (raw: string): z.infer<typeof fact> | null => {
  try {
    return fact.safeParse(JSON.parse(Buffer.from(raw, 'base64').toString('utf8'))).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};
