import { access } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { refuse } from './gate.ts';

/** `web/dist`, as `vite build` leaves it, relative to this file. */
export const builtPage = join(import.meta.dirname, '..', '..', 'web', 'dist');

/** Serves the built page. It is looked for at each visit, so a build needs no restart. */
export const addPage = async (app: FastifyInstance, root: string): Promise<void> => {
  await app.register(fastifyStatic, {
    root,
    index: false,
    dotfiles: 'deny',
    cacheControl: false,
    suppressWarning: true,
  });
  app.get('/', async (request, reply) => {
    try {
      await access(join(root, 'index.html'));
    } catch {
      return refuse(request, reply, 503, 'page-not-built', {
        title: 'The console page is not built yet',
        text: `There is no index.html in ${root}. Logs are received, kept and searchable on the command line all the same. Build the page with`,
        command: 'npm run build',
        after: 'and reload this page.',
      });
    }
    return reply.sendFile('index.html');
  });
};
