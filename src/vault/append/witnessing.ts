import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { micros, type Clock } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { formatMicros } from '#base/rfc3339';
import {
  formatSignature,
  isBy,
  openCosigned,
  openRemembered,
  parseNote,
  type NoteSignature,
  type RememberedCheckpoint,
  type Vkey,
  type WitnessVkey,
} from '#vault/checkpoint';
import type { Delivery } from '#vault/intake';
import { witnessedPath } from '#vault/tree';
import { VaultError } from '../errors.ts';
import type { Appender } from './appender.ts';
import { contains } from './contradiction.ts';
import { statementsIn, type WitnessStatement } from './witness-statement.ts';

export type WitnessPolicy = {
  /** Cosignatures by so many different witnesses make a checkpoint witnessed. */
  quorum: number;
  witnesses: readonly WitnessVkey[];
  /** How long a start waits for what they remember before it signs; default 20 s. */
  patienceMs?: number;
};

export type WitnessingOptions = {
  appender: Appender;
  policy: WitnessPolicy | null;
  clock: Clock;
  log: OwnLog;
};

/**
 * What witnesses have to say to the keeper. It has no network: publisher and courier hand it in as lines of their own,
 * and anybody who can write such a line may have written it, so nothing in it counts but signatures: the log's own, and
 * those of the witnesses that the operator has named. A witness is trusted to be able to stop the keeper, by remembering
 * what this log does not contain; never to make it accept anything.
 */
export type Witnessing = {
  /**
   * Looks at a delivery on its way into a batch. Cheap for what is none of publisher's or courier's.
   * @throws VaultError `contradicted`: the evidence is kept, and nothing more may be signed
   */
  take(delivery: Delivery): Promise<void>;
  /** Whether a start still waits for its witnesses. While it does, nothing is signed. */
  isWaiting(): boolean;
  /** Whether nobody answered before the start went on. */
  isUnwitnessed(): boolean;
  /** Between two commits: publishes what has become witnessed. @throws VaultError, system errors */
  settle(): Promise<void>;
  /** Now and then: a line to be said of witnesses that lag behind, or have caught up. */
  overdue(): Record<string, unknown> | null;
};

const defaultPatienceMs = 20_000;
/** Clocks of two machines differ. */
const clockSlackSeconds = 60;
/** A witnessed checkpoint that is older than this while the log grows raises an alarm, as does silence of a witness. */
const lagMs = 10 * 60_000;
/** Checkpoints whose cosignatures are collected at once. */
const maxCollected = 64;

export const newWitnessing = ({ appender, policy, clock, log }: WitnessingOptions): Witnessing => {
  const started = clock.elapsed();
  const seconds = (): number => Math.floor(clock.now() / 1_000_000);
  const startedSeconds = seconds();
  const patienceMs = policy?.patienceMs ?? defaultPatienceMs;
  const trusted = policy?.witnesses ?? [];
  /** By witness: the newest time in its cosignatures since the start, in seconds, and when it was heard. */
  const heard = new Map<string, { time: number; at: number }>();
  /** By size, the log's own signatures and the newest cosignature of each witness. */
  const collected = new Map<
    number,
    { text: string; own: NoteSignature; lines: Map<string, NoteSignature> }
  >();
  let witnessed = policy === null ? 0 : witnessedSize(appender.vault, appender.vkey());
  /** When it last came to be of a larger size. */
  let witnessedAt = started;
  let due: Buffer | null = null;
  let dueSize = witnessed;
  /** Who was silent when the alarm was raised; `null` while there is none. */
  let alarm: readonly WitnessVkey[] | null = null;
  let gaveUp: boolean | null = policy === null ? false : null;

  const isWaiting = (): boolean => {
    if (gaveUp !== null || policy === null) return false;
    if (heard.size >= policy.quorum) gaveUp = false;
    else if (clock.elapsed() - started >= patienceMs) {
      gaveUp = heard.size === 0;
      if (gaveUp)
        log(
          'warning',
          `no witness said within ${patienceMs / 1000} s what it remembers: signing goes on unwitnessed`,
        );
    }
    return gaveUp === null;
  };

  const take = async (delivery: Delivery): Promise<void> => {
    for (const statement of statementsIn(delivery)) await consider(statement);
  };

  const consider = async ({ kind, note }: WitnessStatement): Promise<void> => {
    const remembered = openRemembered(note, { vkey: appender.vkey(), witnesses: trusted });
    // Neither our key of now nor a witness that we know vouches for it: worth a line in the log, which it is.
    if (remembered === null) return;
    const claimed = remembered.checkpoint;
    const isContained = (): boolean => contains(appender.vault, appender.checkpoint(), claimed);
    // What a commit under way has just published may come back before that commit has ended.
    await appender.settled();
    if (!isContained()) {
      const error = await appender.convict(claimed);
      log('error', error.message);
      throw error;
    }
    hear(remembered);
    if (kind === 'cosignature') collect(note, remembered);
  };

  /** An old line that waited in intake, or that somebody repeats, says nothing of what its witness remembers now. */
  const hear = ({ cosignedBy }: RememberedCheckpoint): void => {
    for (const { witness, time } of cosignedBy) {
      const before = heard.get(idOf(witness))?.time ?? startedSeconds - clockSlackSeconds - 1;
      // A witness whose clock was ahead is heard again when it was set right.
      if (time > before) heard.set(idOf(witness), { time: Math.min(time, seconds()), at: clock.elapsed() });
    }
  };

  const collect = (note: Buffer, { checkpoint: { size }, cosignedBy }: RememberedCheckpoint): void => {
    const { text, signatures } = parseNote(note);
    const own = signatures.find((signature) => isBy(signature, appender.vkey()));
    if (policy === null || own === undefined || size < witnessed) return;
    const lines = collected.get(size)?.lines ?? new Map<string, NoteSignature>();
    for (const { witness } of cosignedBy) {
      const line = signatures.find((signature) => isBy(signature, witness));
      if (line !== undefined) lines.set(idOf(witness), line);
    }
    if (lines.size === 0) return;
    collected.set(size, { text, own, lines });
    if (collected.size > maxCollected) collected.delete(Math.min(...collected.keys()));
    if (lines.size >= policy.quorum && size >= dueSize) {
      dueSize = size;
      due = Buffer.from(`${text}\n${[own, ...lines.values()].map(formatSignature).join('')}`);
    }
  };

  const isSilent = (witness: WitnessVkey): boolean =>
    clock.elapsed() - (heard.get(idOf(witness))?.at ?? started) >= lagMs;

  /** Since when, as the witness dated its newest cosignature; one that was never heard: since the start. */
  const named = (witness: WitnessVkey): { witness: string; since: string } => ({
    witness: witness.name,
    since: formatMicros(micros((heard.get(idOf(witness))?.time ?? startedSeconds) * 1_000_000)),
  });

  return {
    take,
    isWaiting,
    isUnwitnessed: () => gaveUp === true,
    async settle() {
      const note = due;
      if (note === null) return;
      due = null;
      await appender.publishWitnessed(note);
      if (dueSize > witnessed) witnessedAt = clock.elapsed();
      witnessed = dueSize;
      for (const size of collected.keys()) if (size < witnessed) collected.delete(size);
    },
    overdue() {
      if (policy === null) return null;
      const size = appender.size();
      if (witnessed >= size) witnessedAt = clock.elapsed();
      const minutes = Math.floor((clock.elapsed() - witnessedAt) / 60_000);
      const isLate = clock.elapsed() - witnessedAt >= lagMs && witnessed < size;
      if (isLate === (alarm !== null)) return null;
      const silent = trusted.filter(isSilent);
      if (isLate) {
        alarm = silent;
        const who = silent.map((one) => `${one.name} (not heard since ${named(one).since})`).join(', ');
        log(
          'error',
          `ALARM: no checkpoint has become witnessed for ${minutes} minutes while the log grew from ${witnessed} to ${size}; ` +
            `${silent.length === 0 ? 'each witness was heard, but too few of them on one checkpoint' : `silent: ${who}`}`,
        );
        return {
          kind: 'witness-lag',
          severity: 'error',
          witnessed,
          size,
          minutes,
          silent: silent.map(named),
        };
      }
      const back = (alarm ?? []).filter((one) => !isSilent(one)).map(({ name }) => name);
      alarm = null;
      log(
        'info',
        `checkpoints become witnessed again (size ${witnessed})${back.length === 0 ? '' : `; heard again: ${back.join(', ')}`}${silent.length === 0 ? '' : `; still silent: ${silent.map(({ name }) => name).join(', ')}`}`,
      );
      return { kind: 'witness-lag-over', witnessed, size, back, silent: silent.map(named) };
    },
  };
};

const idOf = ({ name, keyId }: WitnessVkey): string => `${name} ${keyId.toString('hex')}`;

/** What is published as witnessed already; 0 where there is nothing of use. */
const witnessedSize = (vault: string, vkey: Vkey): number => {
  try {
    return openCosigned(readFileSync(join(vault, witnessedPath)), vkey).size;
  } catch (error) {
    if (systemCode(error) !== null && systemCode(error) !== 'ENOENT')
      throw new VaultError('corrupt', `cannot read ${join(vault, witnessedPath)}: ${messageOf(error)}`, {
        cause: error,
      });
    // Written anew with the next cosignatures.
    return 0;
  }
};
