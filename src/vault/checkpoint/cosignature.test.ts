import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { sha256, VaultFormatError } from '#vault/tree';
import { checkpointText } from './checkpoint.ts';
import { cosign, formatWitnessVkey, openCosignature, parseWitnessVkey } from './cosignature.ts';
import { signNote } from './note.ts';
import { formatVkey, parseVkey } from './vkey.ts';

const pair = generateKeyPairSync('ed25519');
const vkey = parseWitnessVkey(formatWitnessVkey('witness.example/w1', pair.publicKey));
const witness = { vkey, privateKey: pair.privateKey };
const logPair = generateKeyPairSync('ed25519');
const logKey = parseVkey(formatVkey('log.example/0', logPair.publicKey));
const text = checkpointText('log.example/0', 7, sha256(Buffer.from('root')));
const note = signNote(text, { name: logKey.name, keyId: logKey.keyId, privateKey: logPair.privateKey });
const cosigned = (line: string): Buffer => Buffer.concat([note, Buffer.from(line)]);
const time = 1_679_315_147;

describe('witness key', () => {
  it('has the id and the form of signature type 0x04, and is none that signs notes', () => {
    const shown = formatWitnessVkey('w', pair.publicKey);
    const bytes = Buffer.from(shown.split('+').slice(2).join('+'), 'base64');
    assert.deepEqual([bytes.length, bytes[0]], [33, 4]);
    assert.equal(
      shown.split('+')[1],
      sha256(Buffer.concat([Buffer.from('w\n'), bytes]))
        .subarray(0, 4)
        .toString('hex'),
    );
    assert.throws(() => parseVkey(shown), VaultFormatError);
    assert.throws(() => parseWitnessVkey(formatVkey('w', pair.publicKey)), VaultFormatError);
  });
  it('is refused with another id, type, length or name; ML-DSA is named', () => {
    const shown = formatWitnessVkey('w', pair.publicKey);
    for (const bad of [
      '',
      shown.slice(0, -1),
      `${shown}=`,
      shown.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
      `x${shown}`,
      `a ${shown}`,
    ])
      assert.throws(() => parseWitnessVkey(bad), VaultFormatError, bad);
    const mlDsa = `w+00000000+${Buffer.concat([Buffer.from([6]), Buffer.alloc(1312)]).toString('base64')}`;
    assert.throws(() => parseWitnessVkey(mlDsa), /ML-DSA/);
  });
});

describe('cosignature', () => {
  it('says when, over exactly the bytes that tlog-cosignature names', () => {
    const line = cosign({ text, witness, time });
    assert.equal(openCosignature(cosigned(line), vkey), time);
    const blob = Buffer.from(line.trim().split(' ').at(-1) ?? '', 'base64');
    assert.equal(blob.length, 4 + 8 + 64);
    assert.equal(blob.readBigUInt64BE(4), BigInt(time));
    const message = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
    assert.ok(verify(null, message, pair.publicKey, blob.subarray(12)));
  });
  it('is refused with any one bit of its line or of the text changed', () => {
    const whole = cosigned(cosign({ text, witness, time }));
    const [from, logLine] = [text.length, note.length];
    for (let at = 0; at < whole.length; at++) {
      if (at > from && at < logLine) continue; // the log's signature: not this key's matter
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => openCosignature(changed, vkey), VaultFormatError, `byte ${at}`);
    }
  });
  it('is refused by another witness, with a time of 0 or beyond 2^53, twice, or too short', () => {
    const line = cosign({ text, witness, time });
    const other = parseWitnessVkey(formatWitnessVkey(vkey.name, generateKeyPairSync('ed25519').publicKey));
    assert.throws(() => openCosignature(cosigned(line), other), /not cosigned/);
    assert.throws(() => openCosignature(note, vkey), /not cosigned/);
    assert.throws(() => openCosignature(cosigned(line + line), vkey), VaultFormatError);
    for (const bytes of [Buffer.alloc(72), Buffer.alloc(72, 0xff), Buffer.alloc(71), Buffer.alloc(64)]) {
      const bad = `— ${vkey.name} ${Buffer.concat([vkey.keyId, bytes]).toString('base64')}\n`;
      assert.throws(() => openCosignature(cosigned(bad), vkey), VaultFormatError);
    }
    for (const none of [0, -1, 1.5, 2 ** 53])
      assert.throws(() => cosign({ text, witness, time: none }), RangeError);
  });
});
