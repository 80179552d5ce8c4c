import type { Clock } from '#base/clock';
import { encodeRecord, Framing } from '#vault/record';

/** What the keeper itself has to say, as a record: it appends its own lines directly, without intake. */
export const selfRecord = (
  body: Record<string, unknown>,
  { clock, host }: { clock: Clock; host: string },
): Buffer =>
  encodeRecord({
    flags: 0,
    framing: Framing.own,
    received: clock.now(),
    sequence: 0,
    listener: 'keeper',
    peer: 'keeper',
    tlsName: '',
    stream: '',
    meta: JSON.stringify({ via: 'self', host }),
    raw: Buffer.from(JSON.stringify(body)),
  });
