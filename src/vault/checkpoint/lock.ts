import { sha256, VaultFormatError } from '#vault/tree';

/**
 * The lock record, `keys/lock`: what the signer signed last, and how far intake had been read by then. Swapping it is
 * the commit point. It lies outside vault/, so that a rollback of vault/ alone shows.
 *
 *     holdfast.lock/v1 <SHA-256, hex, of everything after this line>
 *     <intake position, see src/vault/intake/position.ts>
 *     <blank line>
 *     <signed checkpoint>
 */
export type LockRecord = {
  /** Lines, each ended by LF; none of them blank. */
  intake: string;
  note: Buffer;
};

const kind = 'holdfast.lock/v1';

/** Bytes that a lock record may have. */
export const maxLock = 4 * 1024 * 1024;

export const encodeLock = ({ intake, note }: LockRecord): Buffer => {
  const rest = Buffer.concat([Buffer.from(`${intake}\n`), note]);
  return Buffer.concat([Buffer.from(`${kind} ${sha256(rest).toString('hex')}\n`), rest]);
};

/** @throws VaultFormatError */
export const parseLock = (bytes: Buffer): LockRecord => {
  const firstEnd = bytes.indexOf(0x0a);
  const rest = bytes.subarray(firstEnd + 1);
  if (firstEnd < 0 || bytes.toString('latin1', 0, firstEnd) !== `${kind} ${sha256(rest).toString('hex')}`) {
    throw new VaultFormatError('lock record is damaged: its first line does not match the rest');
  }
  if (rest[0] === 0x0a) return { intake: '', note: rest.subarray(1) };
  const blank = rest.indexOf('\n\n');
  if (blank < 0) throw new VaultFormatError('lock record has no checkpoint');
  return { intake: rest.toString('utf8', 0, blank + 1), note: rest.subarray(blank + 2) };
};
