import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { messageOf } from '#base/errors';
import {
  formatWitnessVkey,
  isKeyName,
  parseWitnessVkey,
  type WitnessSigner,
  type WitnessVkey,
} from '#vault/checkpoint';
import { createDirectory, createFile, unfinishedPath } from '#vault/durable';
import { WitnessError } from './errors.ts';
import type { WitnessLayout } from './layout.ts';

/**
 * Makes a witness: directories, private key, public key, in this order; the public key is the last and says that the
 * rest is there. What a cut short making has left is used. A witness that is there is left as it is.
 * @param name e.g. `witness.example/w1`; the same as before where there is a witness
 * @throws WitnessError `exists` (with another name), `absent` (keys without their memory), `bad-key`
 */
export const createWitness = (layout: WitnessLayout, keyFile: string, name: string | null): WitnessSigner => {
  if (existsSync(layout.vkey)) {
    const signer = loadWitnessSigner(layout, keyFile);
    if (name !== null && signer.vkey.name !== name)
      throw new WitnessError(
        'exists',
        `${layout.root} is the witness ${signer.vkey.name} already: name another --state for ${name}`,
      );
    return signer;
  }
  if (name === null || !isKeyName(name))
    throw new WitnessError(
      'bad-key',
      'a new witness needs a --name, such as witness.example/w1: no white space, no plus, at most 255 characters',
    );
  mkdirSync(layout.root, { recursive: true, mode: 0o755 });
  for (const path of [layout.memory, layout.stopped, layout.evidence, layout.scratch])
    if (!existsSync(path)) createDirectory(path, 0o755, null);
  if (!existsSync(keyFile)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    place(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  }
  const privateKey = readPrivateKey(keyFile);
  const vkey = formatWitnessVkey(name, createPublicKey(privateKey));
  place(layout.vkey, `${vkey}\n`, 0o644);
  return { vkey: parseWitnessVkey(vkey), privateKey };
};

/** @throws WitnessError `absent`, `bad-key` */
export const loadWitnessSigner = (layout: WitnessLayout, keyFile: string): WitnessSigner => {
  const vkey = loadWitnessVkey(layout);
  try {
    const privateKey = readPrivateKey(keyFile);
    if (
      formatWitnessVkey(vkey.name, createPublicKey(privateKey)) !== readFileSync(layout.vkey, 'utf8').trim()
    )
      throw new Error('the two do not belong together');
    return { vkey, privateKey };
  } catch (error) {
    throw new WitnessError(
      'bad-key',
      `cannot use ${keyFile} with ${layout.vkey}: ${messageOf(error)}. Restore both from one source`,
      { cause: error },
    );
  }
};

/** The public key alone, for whoever only reads. @throws WitnessError `absent`, `bad-key` */
export const loadWitnessVkey = (layout: WitnessLayout): WitnessVkey => {
  if (!existsSync(layout.vkey))
    throw new WitnessError(
      'absent',
      `there is no witness in ${layout.root}: make one with holdfast witness --init --name NAME --log VKEY`,
    );
  if (!existsSync(layout.memory))
    throw new WitnessError(
      'absent',
      `${layout.memory} is missing: a witness without its memory must not sign. Restore it, or make a new witness elsewhere`,
    );
  try {
    return parseWitnessVkey(readFileSync(layout.vkey, 'utf8'));
  } catch (error) {
    throw new WitnessError('bad-key', `cannot use ${layout.vkey}: ${messageOf(error)}. Restore it`, {
      cause: error,
    });
  }
};

const readPrivateKey = (keyFile: string): KeyObject => createPrivateKey(readFileSync(keyFile));

const place = (path: string, text: string, mode: number): void => {
  rmSync(unfinishedPath(path), { force: true });
  createFile(path, Buffer.from(text), mode, null);
};
