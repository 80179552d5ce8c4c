import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { sha256, VaultFormatError } from '#vault/tree';
import { checkpointText, openCheckpoint, openCosigned, parseCheckpoint } from './checkpoint.ts';
import { encodeHistoryNote, lastHistoryNote, parseHistory } from './history.ts';
import { encodeLock, parseLock } from './lock.ts';
import { signNote } from './note.ts';
import { formatVkey, parseVkey } from './vkey.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const name = 'host.example/holdfast/0';
const vkey = parseVkey(formatVkey(name, publicKey));
const signer = { name, keyId: vkey.keyId, privateKey };
const root = sha256(Buffer.from('root'));
const note = signNote(checkpointText(name, 7, root), signer);

describe('verification key', () => {
  it('is read as signed-note gives it: the example of golang.org/x/mod/sumdb/note', () => {
    const known = parseVkey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
    assert.equal(known.name, 'PeterNeumann');
    assert.equal(known.keyId.toString('hex'), 'c74f20a3');
    const text =
      'If you think cryptography is the answer to your problem,\nthen you don’t know what your problem is.\n'.replaceAll(
        '’',
        "'",
      );
    assert.throws(
      () =>
        openCheckpoint(
          Buffer.from(
            `${text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`,
          ),
          known,
        ),
      /not a checkpoint/,
    );
  });
  it('is refused with another id, type or form', () => {
    const text = formatVkey(name, publicKey);
    for (const bad of [
      '',
      text.slice(0, -1),
      `${text}=`,
      text.replace(/\+[0-9a-f]{8}\+/, '+00000000+'),
      `a b${text}`,
      `x${text}`,
    ]) {
      assert.throws(() => parseVkey(bad), VaultFormatError, bad);
    }
  });
});

describe('checkpoint', () => {
  it('says what was signed', () => {
    const { origin, size, root: found } = openCheckpoint(note, vkey);
    assert.deepEqual([origin, size, found.equals(root)], [name, 7, true]);
  });
  it('is refused with any one byte changed', () => {
    for (let at = 0; at < note.length; at++) {
      for (const bit of [1, 0x20, 0x80]) {
        const changed = Buffer.from(note);
        changed[at] = (changed[at] ?? 0) ^ bit;
        assert.throws(() => openCheckpoint(changed, vkey), VaultFormatError, `byte ${at} ^ ${bit}`);
      }
    }
  });
  it('is refused with more signatures, spare bits in base64, or another key', () => {
    const text = note.toString();
    const line = text.split('\n').at(-2) ?? '';
    const other = generateKeyPairSync('ed25519');
    const otherKey = parseVkey(formatVkey(name, other.publicKey));
    assert.throws(() => openCheckpoint(note, otherKey), VaultFormatError);
    assert.throws(
      () => openCheckpoint(signNote(checkpointText('else', 7, root), { ...signer, name: 'else' }), vkey),
      VaultFormatError,
    );
    for (const bad of [
      `${text}${line}\n`,
      `${text}— other ${line.split(' ')[2]}\n`,
      text.replace(/.=\n$/, 'B=\n'),
      text.trimEnd(),
      `${text}\n`,
      `\n${text}`,
      text.replaceAll('\n', '\r\n'),
    ]) {
      assert.throws(() => openCheckpoint(Buffer.from(bad), vkey), VaultFormatError, JSON.stringify(bad));
    }
  });
  it('has two signatures where the key was replaced with it: by the key asked for, under the one name', () => {
    const next = generateKeyPairSync('ed25519');
    const nextKey = parseVkey(formatVkey(name, next.publicKey));
    const text = checkpointText(name, 8, root);
    const both = signNote(text, signer, { name, keyId: nextKey.keyId, privateKey: next.privateKey });
    assert.equal(openCheckpoint(both, vkey).size, 8);
    assert.equal(openCheckpoint(both, nextKey).size, 8);
    const third = generateKeyPairSync('ed25519');
    const thirdKey = parseVkey(formatVkey(name, third.publicKey));
    assert.throws(() => openCheckpoint(both, thirdKey), VaultFormatError);
    const other = { name: 'else', keyId: thirdKey.keyId, privateKey: third.privateKey };
    assert.throws(() => openCheckpoint(signNote(text, signer, other), vkey), VaultFormatError);
    assert.equal(openCosigned(signNote(text, other, signer), vkey).size, 8);
    assert.throws(() => openCosigned(signNote(text, other), vkey), VaultFormatError);
    const three = signNote(text, signer, { ...other, name }, { ...signer, keyId: Buffer.alloc(4) });
    assert.throws(() => openCheckpoint(three, vkey), VaultFormatError);
  });
  it('is refused where a signed text is no checkpoint', () => {
    const b64 = root.toString('base64');
    for (const text of [
      `${name}\n7\n${b64}\nextension\n`,
      `${name}\n07\n${b64}\n`,
      `${name}\n\n${b64}\n`,
      `${name}\n0x7\n${b64}\n`,
      `${name}\n7\n${b64.slice(4)}\n`,
      `other\n7\n${b64}\n`,
      `${name}\n7\n`,
    ]) {
      assert.throws(
        () => openCheckpoint(signNote(text, signer), vkey),
        VaultFormatError,
        JSON.stringify(text),
      );
    }
  });
  it('can be read without its key, but then nothing is proven', () => {
    const forged = Buffer.from(note);
    forged[name.length + 1] = 0x38;
    assert.equal(parseCheckpoint(forged).size, 8);
  });
  it('signs the text itself, as openssl would', () => {
    const text = checkpointText(name, 7, root);
    const encoded = Buffer.from(note.toString().split(' ').at(-1)?.trim() ?? '', 'base64');
    assert.ok(encoded.subarray(4).equals(sign(null, Buffer.from(text), privateKey)));
  });
});

describe('history', () => {
  it('keeps notes in order, and shows where it is torn', () => {
    const file = Buffer.concat([encodeHistoryNote(note), encodeHistoryNote(note)]);
    assert.deepEqual(parseHistory(file).notes, [note, note]);
    assert.ok(lastHistoryNote(file).equals(note));
    for (const torn of [
      file.subarray(0, -1),
      Buffer.concat([file, Buffer.from([0])]),
      Buffer.concat([file, Buffer.alloc(4)]),
      Buffer.alloc(0),
    ]) {
      assert.throws(() => lastHistoryNote(torn), VaultFormatError);
    }
  });
});

describe('lock record', () => {
  it('comes back as it was, and with any one byte changed not at all', () => {
    for (const intake of [
      '',
      'reading 000000000001-0000000a.intake 5\ndone 000000000000-0000000a.intake\n',
    ]) {
      const bytes = encodeLock({ intake, note });
      assert.deepEqual(parseLock(bytes), { intake, note });
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 1;
        assert.throws(() => parseLock(changed), VaultFormatError, `byte ${at}`);
      }
    }
    assert.throws(() => parseLock(Buffer.alloc(0)), VaultFormatError);
  });
});
