import { browseRequest, leafRequest } from '#wire/browse';
import type { ReadRoutes } from '../reading.ts';
import { parseRequest } from '../request.ts';
import type { Serving } from '../serving.ts';
import { leafLineOf, leafPage } from './leaf.ts';
import { branches } from './tree.ts';

/** `POST /browse` and `POST /leaf` of src/wire/browse.ts. */
export const addBrowse = (reads: ReadRoutes, { index, clock, freshness }: Serving): void => {
  reads.read('/browse', async (body, out) => {
    const { path } = parseRequest(browseRequest, body);
    const found = await branches(index, path, clock, freshness);
    for (const branch of found.branches) await out.line(branch);
    await out.remark(found.answer);
  });

  reads.read('/leaf', async (body, out) => {
    const asked = parseRequest(leafRequest, body);
    const page = await leafPage(index, asked, clock, freshness);
    if (page.kind === 'end') await out.remark(page.answer);
    else {
      for (const hit of page.hits) await out.line(asked.form === 'hits' ? hit : leafLineOf(hit, asked.form));
      await out.remark({ next: page.next });
    }
  });
};
