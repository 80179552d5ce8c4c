import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { branch, leafLine, leafNext, type Branch } from '#wire/browse';
import { answer } from '#wire/search';
import type { BrowseAnswer } from '#wire/console';
import { parseRequest } from '../../api-error.ts';
import { ConsoleError } from '../../errors.ts';
import type { SearchSocket } from '../../search-socket.ts';
import { shown } from '../../shown.ts';
import { whoOf } from '../../who.ts';
import { closing } from '../closing.ts';
import { gather } from '../gather.ts';
import { browseBody, leafQuery } from './schema.ts';

/** `POST /api/browse`: the tree of files; `GET /api/leaf?path=`: one of them, as plain text to keep. */
export const addBrowse = (app: FastifyInstance, search: SearchSocket): void => {
  app.post('/api/browse', async (request, reply): Promise<BrowseAnswer> => {
    const body = parseRequest(browseBody, request.body);
    const lines = await search.lines('/browse', body, whoOf(request), closing(reply));
    const { lines: branches, rest } = await gather(lines, branch, answer);
    return { ...shown(rest), branches: branches.map(shownBranch) };
  });

  app.get('/api/leaf', async (request, reply) => {
    const { path } = parseRequest(leafQuery, request.query);
    const [who, gone] = [whoOf(request), closing(reply)];
    const pageAt = (cursor: string | null): Promise<AsyncIterable<unknown>> =>
      search.lines('/leaf', { path, form: 'text', cursor }, who, gone);
    const first = await pageAt(null);
    return reply
      .type('text/plain; charset=utf-8')
      .header('content-disposition', `attachment; filename="${fileName(path)}"`)
      .send(Readable.from(leafText(first, pageAt), { objectMode: false }));
  });
};

/** Its path names it, and is asked for as it is; it is not shown. */
const shownBranch = (one: Branch): Branch => ({ ...shown(one), path: one.path });

const fileName = (path: string): string => `${path.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 150)}.log`;

/**
 * The file, page by page, so that it never lies whole in memory. What breaks off ends the connection in the middle: the
 * browser then says that the download failed.
 */
async function* leafText(
  first: AsyncIterable<unknown>,
  pageAt: (cursor: string) => Promise<AsyncIterable<unknown>>,
): AsyncGenerator<Buffer, void, undefined> {
  for (let page: AsyncIterable<unknown> | null = first; page !== null;) {
    let cursor: string | null = null;
    let isWhole = false;
    for await (const one of page) {
      const line = leafLine.safeParse(one);
      if (line.success) yield Buffer.concat([Buffer.from(line.data.bytes, 'base64'), lineFeed]);
      else if (leafNext.safeParse(one).success) cursor = leafNext.parse(one).next;
      else isWhole = answer.safeParse(one).success;
    }
    if (cursor === null && !isWhole)
      throw new ConsoleError('search-away', 'search broke off within the file');
    page = cursor === null ? null : await pageAt(cursor);
  }
}

const lineFeed = Buffer.from('\n');
