import { forgetRequest, saveRequest } from '#wire/saved';
import { answerTo } from '../answer.ts';
import { parseQuery } from '../query/parse.ts';
import type { ReadRoutes } from '../reading.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { openSavedSearches } from './saved.ts';

/** `POST /save`, `/forget` and `/saved` of src/wire/saved.ts. */
export const addSaved = (reads: ReadRoutes, { index, clock, freshness }: Serving): void => {
  const saved = openSavedSearches(index, clock);
  reads.read('/save', async (body, out) => {
    const asked = parseRequest(saveRequest, body);
    await saved.save(asked);
    await out.remark({ saved: asked.name });
  });

  reads.read('/forget', async (body, out) => {
    const { name } = parseRequest(forgetRequest, body);
    await saved.forget(name);
    await out.remark({ forgotten: name });
  });

  reads.read('/saved', async (_body, out) => {
    const started = clock.elapsed();
    const found = await saved.list();
    for (const one of found) await out.line(one);
    const query = parseQuery('app:holdfast kind=read', clock.now());
    await out.remark(
      await answerTo(index, { query, shown: [], count: found.length, started }, clock, freshness),
    );
  });
};
