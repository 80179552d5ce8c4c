import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import { formatMicros } from '#base/rfc3339';
import type { StateDirectory } from '#base/state';
import type { IndexerStatus, Status } from '#wire/console';
import type { Ready } from '#wire/ready';
import type { SearchSocket } from '../../search-socket.ts';
import { readCheckpoint } from '../../vault-public.ts';
import { health, ready } from './schema.ts';

/** `GET /api/status`: each part stands for itself, so that one that is away does not hide the others. */
export const addStatus = (
  app: FastifyInstance,
  state: StateDirectory,
  search: SearchSocket,
  clock: Clock,
): void => {
  app.get('/api/status', async (): Promise<Status> => {
    const [checkpoint, indexer, running] = await Promise.all([
      readCheckpoint(state),
      askIndexer(search),
      readReady(state.readyFile),
    ]);
    return { host: hostname(), time: formatMicros(clock.now()), checkpoint, indexer, ready: running };
  });
};

const askIndexer = async (search: SearchSocket): Promise<IndexerStatus> => {
  try {
    return { result: 'answers', health: await search.json('/health', health) };
  } catch (error) {
    return { result: 'away', message: messageOf(error) };
  }
};

/** Absent while the processes start; half written never, since it is renamed into place. */
const readReady = async (file: string): Promise<Ready | null> => {
  try {
    const parsed = ready.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
};
