import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import {
  formatSignature,
  isBy,
  maxNote,
  openCosignature,
  openCosigned,
  parseNote,
  type Checkpoint,
  type NoteSignature,
  type Vkey,
  type WitnessVkey,
} from '#vault/checkpoint';
import { newLines, senderNames, splitDelivery, type Delivery } from '#vault/intake';
import { decodeRecord, Framing } from '#vault/record';
import { witnessedPath } from '#vault/tree';
import { VaultError } from '../errors.ts';
import type { Appender } from './appender.ts';
import { contains } from './contradiction.ts';

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
 * and anybody who can write such a line may have written it, so nothing in it counts but signatures.
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
/** Witnesses that were not heard of for so long while the log grew are said to lag. */
const lagMs = 10 * 60_000;
/** Statements have a note or two. */
const maxStatement = 4 * maxNote;
const senders = ['publisher', 'courier'];
/** Checkpoints whose cosignatures are collected at once. */
const maxCollected = 64;

export const newWitnessing = ({ appender, policy, clock, log }: WitnessingOptions): Witnessing => {
  const started = clock.elapsed();
  const startedSeconds = Math.floor(clock.now() / 1_000_000);
  const patienceMs = policy?.patienceMs ?? defaultPatienceMs;
  const answered = new Set<string>();
  /** By size, the log's own signatures and the newest cosignature of each witness. */
  const collected = new Map<
    number,
    { text: string; own: NoteSignature; lines: Map<string, NoteSignature> }
  >();
  let witnessed = policy === null ? 0 : witnessedSize(appender.vault, appender.vkey());
  let due: Buffer | null = null;
  let dueSize = witnessed;
  let heard = clock.elapsed();
  let lags: 'no' | 'said' = 'no';
  let gaveUp: boolean | null = policy === null ? false : null;

  const isWaiting = (): boolean => {
    if (gaveUp !== null || policy === null) return false;
    if (answered.size >= policy.quorum) gaveUp = false;
    else if (clock.elapsed() - started >= patienceMs) {
      gaveUp = answered.size === 0;
      if (gaveUp)
        log(
          'warning',
          `no witness said within ${patienceMs / 1000} s what it remembers: signing goes on unwitnessed`,
        );
    }
    return gaveUp === null;
  };

  const take = async (delivery: Delivery): Promise<void> => {
    if (!isStatement(delivery)) return;
    for (const raw of rawLines(delivery)) await consider(raw);
  };

  const consider = async (raw: Buffer): Promise<void> => {
    const statement = parseStatement(raw);
    if (statement === null) return;
    const note = Buffer.from(statement.note);
    let claimed: Checkpoint;
    try {
      claimed = openCosigned(note, appender.vkey());
    } catch {
      // Not signed by our key of now: worth a line in the log, which it is, and nothing else.
      return;
    }
    const ours = appender.checkpoint();
    if (!contains(appender.vault, ours, claimed)) {
      const error = await appender.convict(claimed);
      log('error', error.message);
      throw error;
    }
    if (statement.kind === 'cosignature') collect(note, claimed);
  };

  const collect = (note: Buffer, { size }: Checkpoint): void => {
    const { text, signatures } = parseNote(note);
    const own = signatures.find((signature) => isBy(signature, appender.vkey()));
    if (policy === null || own === undefined) return;
    const lines = collected.get(size)?.lines ?? new Map<string, NoteSignature>();
    for (const witness of policy.witnesses) {
      const line = signatures.find((signature) => isBy(signature, witness));
      const time = line === undefined ? null : cosignedAt(note, witness);
      if (line === undefined || time === null) continue;
      const id = `${witness.name} ${witness.keyId.toString('hex')}`;
      lines.set(id, line);
      // An old line that waited in intake says nothing of what its witness remembers now.
      if (time >= startedSeconds - clockSlackSeconds) answered.add(id);
      heard = clock.elapsed();
    }
    if (lines.size === 0 || size < witnessed) return;
    collected.set(size, { text, own, lines });
    if (collected.size > maxCollected) collected.delete(Math.min(...collected.keys()));
    if (lines.size >= policy.quorum && size >= dueSize) {
      dueSize = size;
      due = Buffer.from(`${text}\n${[own, ...lines.values()].map(formatSignature).join('')}`);
    }
  };

  return {
    take,
    isWaiting,
    isUnwitnessed: () => gaveUp === true,
    async settle() {
      const note = due;
      if (note === null) return;
      due = null;
      await appender.publishWitnessed(note);
      witnessed = dueSize;
      for (const size of collected.keys()) if (size < witnessed) collected.delete(size);
    },
    overdue() {
      if (policy === null) return null;
      const isLate = clock.elapsed() - heard >= lagMs && witnessed < appender.size();
      if (isLate === (lags === 'said')) return null;
      lags = isLate ? 'said' : 'no';
      const size = appender.size();
      return isLate
        ? { kind: 'witness-lag', witnessed, size, minutes: Math.floor(lagMs / 60_000) }
        : { kind: 'witness-lag-over', witnessed, size };
    },
  };
};

const cosignedAt = (note: Buffer, witness: WitnessVkey): number | null => {
  try {
    return openCosignature(note, witness);
  } catch {
    return null;
  }
};

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

const isStatement = ({ framing, sender, body }: Delivery): boolean =>
  framing === Framing.own && body.length <= 64 * maxStatement && senders.includes(senderNames(sender).peer);

const rawLines = (delivery: Delivery): Buffer[] => {
  const lines = newLines();
  const splitting = splitDelivery(delivery);
  const found: Buffer[] = [];
  while (!splitting.done()) {
    lines.used = 0;
    lines.count = 0;
    splitting.fill(lines);
    for (let i = 0; i < lines.count; i++)
      found.push(Buffer.from(decodeRecord(lines.bytes, lines.offsets[i]).record.raw));
  }
  return found;
};

type Statement = { kind: 'cosignature' | 'contradiction'; note: string };

const parseStatement = (raw: Buffer): Statement | null => {
  if (raw.length > maxStatement) return null;
  try {
    const body: unknown = JSON.parse(raw.toString('utf8'));
    if (typeof body !== 'object' || body === null || !('kind' in body) || !('note' in body)) return null;
    const { kind, note } = body;
    return (kind === 'cosignature' || kind === 'contradiction') && typeof note === 'string'
      ? { kind, note }
      : null;
  } catch {
    return null;
  }
};
