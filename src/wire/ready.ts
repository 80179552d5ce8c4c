import { z } from 'zod';
import { allowed, allowedByDefault } from './listen.ts';

/** `run/ready.json`: written when all processes serve. `receiver` has `syslogTcp`, `syslogUdp`, a second one of a kind as `syslogTcp2`; `HOST:PORT`. */
export const ready = z.object({
  receiver: z.record(z.string(), z.string()),
  console: z.string().nullable(),
  /** `HOST:PORT` where checkpoints and tiles are published over TCP; the unix socket is always there. */
  publisher: z.string().nullable(),
  /** Who may speak to the receiver's listeners. */
  allowed: allowed.default(allowedByDefault),
  vkey: z.string(),
  supervisorPid: z.int(),
  processes: z.record(z.string(), z.object({ pid: z.int(), uid: z.int(), groups: z.array(z.int()) })),
});
export type Ready = z.infer<typeof ready>;

/** What a child tells its supervisor once it serves: on its message channel, or in its ready file. */
export const childReady = z.object({
  ready: z.literal(true),
  pid: z.int().positive(),
  addresses: z.record(z.string(), z.string()),
});
export type ChildReady = z.infer<typeof childReady>;
