import type { Listener } from '../listener.ts';
import { listenDatagrams, type DatagramOptions } from '../syslog/udp.ts';
import { joinChunks } from './chunks.ts';
import { gelfMeta } from './meta.ts';

/**
 * GELF over UDP: a datagram is a message, or a chunk of one. Compression is left to the index.
 * @throws ReceiveError
 */
export const listenGelfUdp = (options: Omit<DatagramOptions, 'kind' | 'meta' | 'join'>): Promise<Listener> =>
  listenDatagrams({
    ...options,
    kind: 'gelf-udp',
    meta: gelfMeta,
    join: (later) => joinChunks(options.clock, later),
  });
