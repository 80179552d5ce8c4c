import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, lchownSync, mkdirSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import {
  checkpointText,
  encodeHistoryNote,
  encodeLock,
  formatVkey,
  isKeyName,
  parseVkey,
  signNote,
} from '#vault/checkpoint';
import {
  createDirectory,
  createFile,
  createMark,
  removeFile,
  syncDirectory,
  type Owner,
} from '#vault/durable';
import { emptyRoot, historyPath } from '#vault/tree';
import { VaultError } from '../errors.ts';
import { clearCutShortCreation, creationMark, isCutShortCreation } from './cut-short.ts';
import { keyFiles } from './keys.ts';

export type CreateOptions = {
  /** Both missing or empty; made where missing. Or what a creation that was cut short has left, which is cleared away. */
  vault: string;
  keys: string;
  /** Name of the log and of its key; default `<hostname>/holdfast/<8 hex>`. */
  origin?: string;
  clock: Clock;
  /** Who will keep the vault, when root makes it for another user: owns everything before the vault is one. */
  owner?: Owner;
};

/**
 * Makes a new, empty evidence store with a key of its own and publishes the checkpoint of size 0. Only ever called on
 * purpose: where a vault is expected, its absence is a fault and not a reason to begin another.
 *
 * The lock record comes last, so a vault is complete or, by its mark, recognisably none (see `isCutShortCreation`).
 * @returns the origin
 * @throws VaultError `exists`; system errors
 */
export const createVault = ({
  vault,
  keys,
  origin,
  clock,
  owner = null,
}: CreateOptions): { origin: string } => {
  const name =
    origin ??
    `${hostname().replace(/[^A-Za-z0-9.-]/g, '-') || 'localhost'}/holdfast/${randomBytes(4).toString('hex')}`;
  if (!isKeyName(name))
    throw new VaultError(
      'bad-key',
      `"${name}" cannot be an origin: no spaces, no plus sign, at most 255 characters`,
    );
  const mark = creationMark(keys);
  if (isCutShortCreation({ vault, keys })) clearCutShortCreation({ vault, keys });
  for (const path of [vault, keys]) {
    if (existsSync(path) && readdirSync(path).some((entry) => join(path, entry) !== mark)) {
      throw new VaultError(
        'exists',
        `${path} is not empty: a new vault is only made where there is nothing. Choose another place, or restore what is missing`,
      );
    }
    mkdirSync(path, { recursive: true, mode: path === keys ? 0o755 : 0o750 });
    if (owner !== null) lchownSync(path, owner.uid, -1);
    syncDirectory(dirname(path));
  }
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const vkey = formatVkey(name, publicKey);
  const { keyId } = parseVkey(vkey);
  const note = signNote(checkpointText(name, 0, emptyRoot), { name, keyId, privateKey });

  const file = (path: string, bytes: Buffer, mode: number): void => createFile(path, bytes, mode, owner);
  const paths = keyFiles(keys);
  if (!existsSync(mark)) createMark(mark);
  file(paths.signer, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })), 0o600);
  file(paths.vkey, Buffer.from(`${vkey}\n`), 0o644);
  for (const part of ['tile', 'segment', 'history', 'staging'])
    createDirectory(join(vault, part), 0o750, owner);
  file(join(vault, historyPath(0)), encodeHistoryNote(note), 0o640);
  file(join(vault, 'checkpoint'), note, 0o640);
  // Last: without a lock record there is no vault.
  file(paths.lock, encodeLock({ intake: `created ${formatMicros(clock.now())}\n`, note }), 0o644);
  removeFile(mark);
  return { origin: name };
};
