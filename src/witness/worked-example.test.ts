import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  checkpointText,
  cosign,
  formatVkey,
  formatWitnessVkey,
  openCosignature,
  parseVkey,
  parseWitnessVkey,
  signNote,
} from '#vault/checkpoint';
import { consistencyPath, leafHash, treeRoot } from '#vault/tree';
import { originHash } from './layout.ts';
import { formatSubmission } from './submission.ts';

/** The key whose 32 secret bytes (RFC 8032 §5.1.5) are all this byte. */
const keyOf = (byte: number): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]),
    format: 'der',
    type: 'pkcs8',
  });

/** Everything that the page shows, by the name of its block. */
const example = (): Record<string, string> => {
  const origin = 'log.example/holdfast/0';
  const [logKey, witnessKey] = [keyOf(1), keyOf(7)];
  const logVkey = formatVkey(origin, createPublicKey(logKey));
  const witnessVkey = formatWitnessVkey('witness.example/w1', createPublicKey(witnessKey));
  const hashes = Buffer.concat(['one', 'two', 'three'].map((leaf) => leafHash(Buffer.from(leaf))));
  const text = checkpointText(origin, 3, treeRoot(hashes));
  const note = signNote(text, { name: origin, keyId: parseVkey(logVkey).keyId, privateKey: logKey });
  const body = formatSubmission(2, consistencyPath(hashes, 2), note);
  const time = 1_778_554_800;
  const line = cosign({
    text,
    witness: { vkey: parseWitnessVkey(witnessVkey), privateKey: witnessKey },
    time,
  });
  const remembered = Buffer.concat([note, Buffer.from(line)]);
  assert.equal(openCosignature(remembered, parseWitnessVkey(witnessVkey)), time);
  return {
    keys: `${logVkey}\n${witnessVkey}\n`,
    origin: `${originHash(origin)}\n`,
    request: body.toString(),
    signed: `cosignature/v1\ntime ${time}\n${text}`,
    answer: line,
    blob: `${Buffer.from(line.trim().split(' ').at(-1) ?? '', 'base64').toString('hex')}\n`,
    remembered: remembered.toString(),
  };
};

it('docs/formats/witness.md shows, byte for byte, what its worked example gives', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/formats/witness.md'), 'utf8');
  const blocks = [...page.matchAll(/^<!-- (\w+) -->\n\n```\n(.*?)^```$/gms)];
  const shown = Object.fromEntries(blocks.map(([, name = '', body = '']) => [name, body]));
  assert.deepEqual(shown, example());
});
