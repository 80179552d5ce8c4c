import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Vkey, WitnessVkey } from '#vault/checkpoint';
import { askRemembered, pushCheckpoint, type Place, type Publisher, type Pushed, type Shown } from '#witness';

export type OutsideWitness = { vkey: WitnessVkey; place: Place };

export type PushingOptions = {
  /** With the log's keys of now: they may be replaced while this runs. */
  publisher(): Publisher;
  origin: string;
  /** Keys of the log: its own now, and earlier ones. */
  logKeys(): readonly Vkey[];
  witness: OutsideWitness;
  /** Milliseconds between two checkpoints that are brought; each answer is a line, and so another checkpoint. */
  every: number;
  /** Hands a line in, and resolves when it is durable. */
  say(kind: string, fields: Record<string, unknown>): Promise<void>;
  log: OwnLog;
};

export type Pushing = { stop(): Promise<void> };

/** How often the publisher is asked while it is away. */
const retryMs = 2000;

/**
 * Brings the newest checkpoint to one witness, at once and then again and again, changed or not: its answer shows that it
 * still remembers no more than this log has. What it answers is said as a line; what it does not answer is said once.
 */
export const startPushing = (options: PushingOptions): Pushing => {
  const { witness, every, log } = options;
  const ending = new AbortController();
  let known = 0;
  let said = '';

  /** @returns milliseconds until the next time */
  const once = async (): Promise<number> => {
    try {
      const publisher = options.publisher();
      const shown = await publisher.checkpoint();
      const pushed = await pushCheckpoint({
        place: witness.place,
        vkey: witness.vkey,
        note: shown.bytes,
        size: shown.head.size,
        known,
        proofFor: (old) => publisher.consistency(old, shown.head.size),
      });
      if (pushed.result === 'cosigned') known = shown.head.size;
      await tell(options, shown, pushed);
      if (pushed.result !== 'cosigned') complain(`${witness.vkey.name} does not cosign: ${reasonOf(pushed)}`);
      else if (said !== '') {
        log('info', `${witness.vkey.name} cosigns again`);
        said = '';
      }
      return every;
    } catch (error) {
      complain(`cannot bring a checkpoint to ${witness.vkey.name}: ${messageOf(error)}; trying again`);
      return Math.min(every, retryMs);
    }
  };

  const complain = (message: string): void => {
    if (message !== said) log('warning', message);
    said = message;
  };

  const loop = (async () => {
    while (!ending.signal.aborted) {
      const pause = await once();
      await wait(pause, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      ending.abort();
      await loop;
    },
  };
};

/** The witness's answer as a line. Evidence against this log is asked for, and goes with it. */
const tell = async (
  { say, witness: { vkey, place }, origin, logKeys }: PushingOptions,
  shown: Shown,
  pushed: Pushed,
): Promise<void> => {
  const witness = vkey.name;
  if (pushed.result === 'cosigned')
    return say('cosignature', { size: shown.head.size, note: pushed.cosigned.toString(), witness });
  if (pushed.result !== 'refused') {
    const remembered = await askRemembered(place, origin, logKeys()).catch(() => null);
    // Whether it really contradicts is for the keeper to judge: this log may have grown meanwhile.
    if (remembered !== null)
      return say('contradiction', {
        severity: 'critical',
        ours: shown.bytes.toString(),
        note: remembered.note.toString(),
        witness,
      });
  }
  return say('witness-refuses', { severity: 'error', witness, size: shown.head.size, why: reasonOf(pushed) });
};

const reasonOf = (pushed: Pushed): string => {
  switch (pushed.result) {
    case 'cosigned':
      return '';
    case 'ahead':
      return `it remembers size ${pushed.size}, which is more than this log has`;
    case 'forked':
    case 'refused':
      return pushed.why;
  }
};
