import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Vkey, WitnessVkey } from '#vault/checkpoint';
import { askRemembered, pushCheckpoint, type Place, type Publisher, type Pushed, type Shown } from '#witness';

export type OutsideWitness = { vkey: WitnessVkey; place: Place };

export type PushingOptions = {
  /** With the log's keys of now: they may be replaced while this runs. @param signal gives up what is asked of it */
  publisher(signal: AbortSignal): Publisher;
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
 * Brings the checkpoint that all witnesses are asked to cosign to one of them, at once and then again and again, changed or
 * not: its answer shows that it still remembers no more than this log has. What it answers is said as a line; what it does
 * not answer is said once.
 */
export const startPushing = (options: PushingOptions): Pushing => {
  const { witness, every, log } = options;
  const ending = new AbortController();
  let known = 0;
  let said = '';

  /** @returns milliseconds until the next time */
  const once = async (): Promise<number> => {
    try {
      const publisher = options.publisher(ending.signal);
      const bring = (shown: Shown): Promise<Pushed> =>
        pushCheckpoint({
          place: witness.place,
          vkey: witness.vkey,
          note: shown.bytes,
          size: shown.head.size,
          known,
          proofFor: (old) => publisher.consistency(old, shown.head.size),
          signal: ending.signal,
        });
      let shown = await publisher.candidate();
      let pushed = await bring(shown);
      if (pushed.result === 'ahead') {
        // Somebody else may have brought a newer one.
        shown = await publisher.checkpoint();
        if (shown.head.size >= pushed.size) pushed = await bring(shown);
      }
      if (pushed.result === 'cosigned') known = shown.head.size;
      await tell(options, publisher, { shown, pushed, signal: ending.signal });
      if (pushed.result !== 'cosigned') complain(`${witness.vkey.name} does not cosign: ${reasonOf(pushed)}`);
      else if (said !== '') {
        log('info', `${witness.vkey.name} cosigns again`);
        said = '';
      }
      return every;
    } catch (error) {
      if (ending.signal.aborted) return 0;
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

type Answered = { shown: Shown; pushed: Pushed; signal: AbortSignal };

/** The witness's answer as a line. Evidence against this log is asked for, and goes with it. */
const tell = async (
  { say, witness: { vkey, place }, origin, logKeys }: PushingOptions,
  publisher: Publisher,
  { shown, pushed, signal }: Answered,
): Promise<void> => {
  const witness = vkey.name;
  if (pushed.result === 'cosigned')
    return say('cosignature', { size: shown.head.size, note: pushed.cosigned.toString(), witness });
  // Also where it refuses: a log that was put back to before a rotation is signed by a key that it may not trust any more.
  const remembered = await askRemembered({ place, origin, logKeys: logKeys(), vkey, signal }).catch(
    () => null,
  );
  // Whether it really contradicts is for the keeper to judge; what this log is proven to contain does not.
  if (remembered !== null && !(await publisher.contains(remembered.head).catch(() => false)))
    return say('contradiction', {
      severity: 'critical',
      ours: shown.bytes.toString(),
      note: remembered.note.toString(),
      witness,
    });
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
