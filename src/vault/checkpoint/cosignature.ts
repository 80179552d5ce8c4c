import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { parseBase64, sha256, VaultFormatError } from '#vault/tree';
import { formatSignature, isBy, parseNote } from './note.ts';
import { isKeyName } from './vkey.ts';

/** The public key of a witness: C2SP tlog-cosignature, Ed25519 (`cosignature/v1`). Not a key that signs notes. */
export type WitnessVkey = {
  name: string;
  /** `SHA-256(name ‖ 0x0A ‖ 0x04 ‖ public key)[:4]` */
  keyId: Buffer;
  publicKey: KeyObject;
  type: 'cosignature/v1';
};

export type WitnessSigner = { vkey: WitnessVkey; privateKey: KeyObject };

/** Signed-note signature type of a timestamped Ed25519 cosignature. */
const cosignatureType = 0x04;

/** Reserved by tlog-cosignature for ML-DSA-44. Told apart in messages; not implemented. */
const mlDsaType = 0x06;

const signatureSize = 64;
const timeSize = 8;

/** `<name>+<key id, 8 hex>+<base64(0x04 ‖ public key)>` */
export const formatWitnessVkey = (name: string, publicKey: KeyObject): string => {
  if (!isKeyName(name))
    throw new VaultFormatError('the name of a witness has no white space, no plus, and is not empty');
  const bytes = publicBytesOf(publicKey);
  const encoded = Buffer.concat([Buffer.from([cosignatureType]), bytes]).toString('base64');
  return `${name}+${keyIdOf(name, bytes).toString('hex')}+${encoded}`;
};

/** @throws VaultFormatError */
export const parseWitnessVkey = (text: string): WitnessVkey => {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  const name = match?.[1] ?? '';
  const bytes = parseBase64(match?.[3] ?? '');
  if (bytes?.[0] === mlDsaType)
    throw new VaultFormatError(
      'the key of a witness that signs with ML-DSA-44 (0x06), which is not supported',
    );
  if (!isKeyName(name) || bytes?.length !== 33 || bytes[0] !== cosignatureType)
    throw new VaultFormatError(
      'not the key of a witness (name+id+key of signature type 0x04, as `holdfast witness` prints)',
    );
  const keyId = keyIdOf(name, bytes.subarray(1));
  if (keyId.toString('hex') !== match?.[2])
    throw new VaultFormatError('the id of the witness key does not match it');
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(1).toString('base64url') },
    format: 'jwk',
  });
  return { name, keyId, publicKey, type: 'cosignature/v1' };
};

const keyIdOf = (name: string, publicBytes: Buffer): Buffer =>
  sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([cosignatureType]), publicBytes])).subarray(
    0,
    4,
  );

const publicBytesOf = (publicKey: KeyObject): Buffer => {
  const { x } = publicKey.asymmetricKeyType === 'ed25519' ? publicKey.export({ format: 'jwk' }) : {};
  if (x === undefined) throw new VaultFormatError('not an Ed25519 key');
  return Buffer.from(x, 'base64url');
};

/** What a cosignature signs: two lines before the whole text of the note. */
const cosignedMessage = (text: string, time: number): Buffer =>
  Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);

/**
 * The signature line, LF included, by which a witness says: at `time` this is the largest consistent tree of this log
 * that I have seen.
 * @param text of the checkpoint, with its last LF
 * @param time seconds since 1970-01-01T00:00:00Z; not 0
 * @throws RangeError for another time
 */
export const cosign = ({
  text,
  witness: { vkey, privateKey },
  time,
}: {
  text: string;
  witness: WitnessSigner;
  time: number;
}): string => {
  if (!Number.isSafeInteger(time) || time <= 0)
    throw new RangeError(`no time of a cosignature: ${time} seconds`);
  const stamp = Buffer.alloc(timeSize);
  stamp.writeBigUInt64BE(BigInt(time));
  const signature = sign(null, cosignedMessage(text, time), privateKey);
  return formatSignature({
    name: vkey.name,
    keyId: vkey.keyId,
    signature: Buffer.concat([stamp, signature]),
  });
};

/**
 * When this witness cosigned this note. Says nothing of who signed the checkpoint itself; other signatures are not
 * looked at.
 * @returns seconds since 1970-01-01T00:00:00Z
 * @throws VaultFormatError where there is no cosignature by `vkey`, or it does not match
 */
export const openCosignature = (note: Buffer, vkey: WitnessVkey): number => {
  const { text, signatures } = parseNote(note);
  const found = signatures.find((signature) => isBy(signature, vkey));
  if (found === undefined) throw new VaultFormatError(`not cosigned by ${vkey.name}`);
  if (found.signature.length !== timeSize + signatureSize)
    throw new VaultFormatError(`the cosignature of ${vkey.name} is not a time and an Ed25519 signature`);
  const time = Number(found.signature.readBigUInt64BE(0));
  if (!Number.isSafeInteger(time) || time === 0)
    throw new VaultFormatError(`the cosignature of ${vkey.name} has no usable time`);
  if (!verify(null, cosignedMessage(text, time), vkey.publicKey, found.signature.subarray(timeSize)))
    throw new VaultFormatError(`the cosignature of ${vkey.name} does not match`);
  return time;
};

/**
 * For so long a cosignature shows how new a log is. Witnesses ask, or are asked, once a minute, so some may be missed; a
 * state that was put back to an older one passes for new for as long, unless somebody says otherwise before.
 */
export const recentSeconds = 5 * 60;

/** Clocks of two machines differ. */
const aheadSeconds = 60;

/**
 * What the time of a cosignature is worth now.
 * @param time seconds since 1970-01-01T00:00:00Z, as `now`
 */
export const ageOf = (time: number, now: number): 'recent' | 'old' | 'ahead' => {
  if (time > now + aheadSeconds) return 'ahead';
  return now - time > recentSeconds ? 'old' : 'recent';
};
