import type { Clock } from '#base/clock';
import { systemCode } from '#base/errors';
import { lockFile } from '#base/file-lock';
import type { OwnLog } from '#base/own-log';
import {
  cosign,
  formatSignature,
  maxNote,
  type Note,
  type WitnessSigner,
  type WitnessVkey,
} from '#vault/checkpoint';
import { openDurable, type Durable } from '#vault/durable';
import { WitnessError } from './errors.ts';
import { keepEvidence, keepSuspected, stoppedBecause, type Contradiction } from './evidence.ts';
import { isFork, judge, type Judgement } from './judge.ts';
import { logSignatures, type KnownLogs } from './known-logs.ts';
import type { WitnessLayout } from './layout.ts';
import { damaged, readMemory, writeMemory, type Remembered, type Seen } from './memory.ts';
import type { Submission } from './submission.ts';

/** What became of a checkpoint. `seen` is what is remembered now; the size of `null` is 0. */
export type Outcome =
  | { outcome: 'cosigned'; line: string; seen: Seen }
  | { outcome: Exclude<Judgement, 'continues'>; seen: Seen | null }
  | { outcome: 'unknown-log' }
  | { outcome: 'not-signed' }
  | { outcome: 'too-long' }
  | { outcome: 'stopped'; why: string };

export type Witness = {
  vkey: WitnessVkey;
  /** Origins that are witnessed. */
  origins: readonly string[];
  /** What is remembered of a log; `null` where nothing was cosigned yet or the memory is damaged. */
  seen(origin: string): Seen | null;
  /** Why nothing is cosigned for a log, or `null`. */
  stopped(origin: string): string | null;
  /**
   * Checks, remembers, cosigns; for one log one at a time, so that check and memory cannot part. What is cosigned is
   * durable before this returns.
   * @throws WitnessError `not-stored`
   */
  consider(submission: Submission): Promise<Outcome>;
  /** Keeps a note of the log's that was not proven to continue what is remembered. It stops nothing. @throws WitnessError `not-stored` */
  suspected(origin: string, note: Buffer): Promise<void>;
  /** What is under way is finished; then another process may be this witness. */
  close(): Promise<void>;
};

export type WitnessOptions = {
  layout: WitnessLayout;
  signer: WitnessSigner;
  logs: KnownLogs;
  clock: Clock;
  log: OwnLog;
  /** Called when the disk has lost what it said to have: the process must end. */
  fail: (error: unknown) => void;
  /** For tests: called before and after each system call that changes something. */
  step?: (what: string) => void;
};

type LogState = { remembered: Remembered; stopped: string | null; turn: Promise<unknown> };

/**
 * Takes the witness's directory, for this process alone, with what it remembers of each log.
 * @throws WitnessError `in-use`; `memory-absent` for a log that was never made known
 */
export const openWitness = async (options: WitnessOptions): Promise<Witness> => {
  const { layout, signer, logs, clock, log, fail, step } = options;
  const lock = await lockFile(layout.lock, 2000);
  if (lock === null)
    throw new WitnessError(
      'in-use',
      `another process is the witness in ${layout.root}: two of one key could sign two histories. End it first`,
    );
  const durable: Durable = openDurable({ scratch: layout.scratch, ...(step === undefined ? {} : { step }) });
  const states = new Map<string, LogState>();
  try {
    for (const origin of logs.keys()) states.set(origin, load(layout, origin, signer.vkey, log));
  } catch (error) {
    lock.release();
    throw error;
  }

  const store = async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      const failure = new WitnessError('not-stored', `nothing was cosigned: it could not be stored`, {
        cause: error,
      });
      if (systemCode(error) === 'fsync-failed') fail(error);
      throw failure;
    }
  };

  const stop = async (state: LogState, contradiction: Contradiction): Promise<string[]> => {
    // In this process nothing more is signed even where the disk is full.
    state.stopped = contradiction.why;
    const paths = await store(() => keepEvidence(layout, durable, contradiction));
    log(
      'error',
      `ALARM: the log ${contradiction.origin} contradicts itself: ${contradiction.why}. Nothing more is cosigned for it; the notes are kept: ${paths.join(', ')}`,
    );
    return paths;
  };

  let closed = false;
  const seconds = (): number => Math.floor(clock.now() / 1_000_000);

  const considerInTurn = async (
    state: LogState,
    submission: Submission,
    own: Note['signatures'],
  ): Promise<Outcome> => {
    // Another process may be this witness by now.
    if (closed) throw new WitnessError('not-stored', 'this witness is ending: nothing more is cosigned');
    if (state.remembered.is === 'damaged' || state.remembered.is === 'absent')
      return { outcome: 'stopped', why: 'what this witness remembers of the log is damaged' };
    const before = state.remembered.is === 'seen' ? state.remembered.seen : null;
    const { head, note } = submission;
    if (before !== null && isFork(before.head, head) && state.stopped === null)
      await stop(state, {
        origin: head.origin,
        why: `two roots at size ${head.size}`,
        notes: [before.note, submission.bytes],
        time: seconds(),
      });
    const judgement = judge(before?.head ?? null, submission);
    if (judgement !== 'continues') return { outcome: judgement, seen: before };
    if (state.stopped !== null) return { outcome: 'stopped', why: state.stopped };
    // Set back, the clock must not make an older time say a larger size.
    const time = Math.max(seconds(), before?.time ?? 1);
    const line = cosign({ text: note.text, witness: signer, time });
    const cosigned = Buffer.from(`${note.text}\n${own.map(formatSignature).join('')}${line}`);
    // It must be readable again, by this witness and by others.
    if (cosigned.length > maxNote) return { outcome: 'too-long' };
    const seen: Seen = { head, note: cosigned, time };
    // The same again within a second: what is on disk says it already.
    if (before === null || !before.note.equals(cosigned))
      await store(() => writeMemory(layout, durable, seen));
    state.remembered = { is: 'seen', seen };
    return { outcome: 'cosigned', line, seen };
  };

  const inTurn = <T>(state: LogState, act: () => Promise<T>): Promise<T> => {
    const turn = state.turn.then(act);
    state.turn = turn.catch(() => undefined);
    return turn;
  };

  return {
    vkey: signer.vkey,
    origins: [...logs.keys()],
    seen(origin) {
      const remembered = states.get(origin)?.remembered;
      return remembered?.is === 'seen' ? remembered.seen : null;
    },
    stopped: (origin) => whyStopped(states.get(origin)),
    async consider(submission) {
      const { origin } = submission.head;
      const state = states.get(origin);
      if (state === undefined) return { outcome: 'unknown-log' };
      const own = logSignatures(submission.note, logs.get(origin) ?? []);
      if (own.length === 0) return { outcome: 'not-signed' };
      return inTurn(state, () => considerInTurn(state, submission, own));
    },
    async suspected(origin, note) {
      const state = states.get(origin);
      if (state === undefined || closed) return;
      await inTurn(state, () => store(() => keepSuspected(layout, durable, origin, note)));
    },
    async close() {
      closed = true;
      await Promise.all([...states.values()].map(({ turn }) => turn));
      lock.release();
    },
  };
};

const whyStopped = (state: LogState | undefined): string | null => {
  if (state === undefined) return null;
  return state.remembered.is === 'damaged' ? state.remembered.why : state.stopped;
};

const load = (layout: WitnessLayout, origin: string, vkey: WitnessVkey, log: OwnLog): LogState => {
  const remembered = readMemory(layout, origin, vkey);
  if (remembered.is === 'absent')
    throw new WitnessError(
      'memory-absent',
      `nothing is remembered of ${origin}. If this witness never cosigned for it, make it known with holdfast witness --init --log VKEY; if it did, its memory was lost: restore ${layout.memory}`,
    );
  if (remembered.is === 'damaged') log('error', damaged(origin, remembered.why).message);
  const stopped = stoppedBecause(layout, origin);
  if (stopped !== null)
    log(
      'error',
      `the log ${origin} is stopped: ${stopped}. Look at ${layout.evidence} before you --resume it`,
    );
  return { remembered, stopped, turn: Promise.resolve() };
};
