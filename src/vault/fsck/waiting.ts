import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { parseLock } from '#vault/checkpoint';
import { isIntakeName, parsePosition, type IntakePosition } from '#vault/intake';

/** What was acknowledged and is not in the vault yet, as far as this user may look. */
export type Waiting =
  | { kind: 'seen'; bytes: number; files: number; /** Files that were set aside. */ damaged: number }
  | { kind: 'missing' }
  | { kind: 'unseen'; why: string };

/**
 * Looks how much of intake the keeper has not taken. Never throws for what it finds.
 * @param position from the lock record; `null`: nothing is known to be taken
 */
export const waitingIntake = (intake: string, position: IntakePosition | null): Waiting => {
  try {
    let bytes = 0;
    let files = 0;
    for (const name of readdirSync(intake).filter(isIntakeName)) {
      const taken = position?.get(name) ?? 0;
      if (typeof taken !== 'number') continue;
      const waiting = Math.max(0, sizeOf(join(intake, name)) - taken);
      if (waiting > 0) files += 1;
      bytes += waiting;
    }
    return { kind: 'seen', bytes, files, damaged: countIn(join(intake, 'damaged')) };
  } catch (error) {
    return systemCode(error) === 'ENOENT'
      ? { kind: 'missing' }
      : { kind: 'unseen', why: `could not look: ${messageOf(error)}` };
  }
};

/** The same, by what the lock record says. A signature is not looked at: this is no evidence. */
export const waitingFor = ({ intake, keys }: { intake: string; keys: string }): Waiting => {
  try {
    return waitingIntake(intake, parsePosition(parseLock(readFileSync(join(keys, 'lock'))).intake));
  } catch (error) {
    return { kind: 'unseen', why: `could not look at ${join(keys, 'lock')}: ${messageOf(error)}` };
  }
};

/** 0 for one that the keeper has just removed. */
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const countIn = (directory: string): number => {
  try {
    return readdirSync(directory).length;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
};
