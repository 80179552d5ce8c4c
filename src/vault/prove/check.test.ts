import assert from 'node:assert/strict';
import { createPublicKey, randomBytes, randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { micros } from '#base/clock';
import {
  checkpointText,
  cosign,
  formatVkey,
  formatWitnessVkey,
  parseCheckpoint,
  parseNote,
  parseVkey,
  parseWitnessVkey,
  signNote,
} from '#vault/checkpoint';
import { encodeEntry, hashSize } from '#vault/tree';
import { keyFromSeed, newProofLog, type ProofLog } from '../testing/proof-log.ts';
import { checkLineProof, type Step, type Verdict } from './check.ts';
import { encodeLineProof, parseLineProof, type LineProof } from './line-proof.ts';

const full = process.env['HOLDFAST_TEST_FULL'] === '1';

const small = (): ProofLog =>
  newProofLog({
    raws: ['{"kind":"manifest"}', '<34>one', '<34>two', '', '<34>four'].map((text) => Buffer.from(text)),
    size: 7,
    index: 3,
  });

const check = ({ vkey }: ProofLog, proof: LineProof): Verdict =>
  checkLineProof(encodeLineProof(proof), { vkey });

const assertRefused = (verdict: Verdict, step: Step, what: string): void => {
  assert.ok(!verdict.proven, `${what}: accepted`);
  assert.equal(verdict.step, step, `${what}: ${verdict.reason}`);
};

describe('proof of a line', () => {
  it('says what is proven', () => {
    const log = small();
    const verdict = check(log, log.prove(2));
    assert.ok(verdict.proven);
    const { claim } = verdict;
    assert.deepEqual(
      [claim.index, claim.line, claim.lineCount, claim.record.raw.toString(), claim.record.peer],
      [3, 2, 5, '<34>two', '192.0.2.7:51234'],
    );
    assert.equal(claim.committed, log.batch.committed);
    assert.equal(claim.checkpoint.size, 7);
    assert.deepEqual(
      claim.signatures.map(({ name, by }) => [name, by]),
      [[log.vkey.name, 'log']],
    );
  });

  it('holds for every line of batches and logs of any shape', () => {
    for (let round = 0; round < (full ? 400 : 40); round++) {
      const size = randomInt(1, 300);
      const log = newProofLog({
        raws: Array.from({ length: randomInt(1, 40) }, () => randomBytes(randomInt(0, 300))),
        size,
        index: randomInt(0, size),
        batchKey: randomBytes(32),
        head: { sequence: randomInt(0, 2 ** 40), meta: 'x'.repeat(randomInt(0, 20)) },
      });
      for (const [line, record] of log.records.entries()) {
        const proof = log.prove(line);
        const bytes = encodeLineProof(proof);
        assert.deepEqual(parseLineProof(bytes), { ...proof, record: Buffer.from(record) });
        assert.ok(checkLineProof(bytes, { vkey: log.vkey }).proven, `line ${line}`);
      }
    }
  });

  it('is refused with any one bit changed, cut off anywhere, or with anything after it', () => {
    const log = small();
    const bytes = encodeLineProof(log.prove(1));
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [0, 1, 2, 3, 4, 5, 6, 7]) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        assert.ok(!checkLineProof(changed, { vkey: log.vkey }).proven, `bit ${bit} of byte ${at}`);
      }
      assert.ok(!checkLineProof(bytes.subarray(0, at), { vkey: log.vkey }).proven, `cut at ${at}`);
    }
    for (const more of ['\n', ' ', '— else AAAAAAAA\n\n', '\0'])
      assert.ok(!checkLineProof(Buffer.concat([bytes, Buffer.from(more)]), { vkey: log.vkey }).proven);
  });

  it('has one form only', () => {
    const log = small();
    const text = encodeLineProof(log.prove(1)).toString();
    const extra = Buffer.from(/^extra (.*)$/m.exec(text)?.[1] ?? '', 'base64');
    const withInner = (from: string, to: string): string => {
      const changed = extra.toString('latin1').replace(from, to);
      assert.notEqual(changed, extra.toString('latin1'), from);
      return text.replace(/^extra .*$/m, `extra ${Buffer.from(changed, 'latin1').toString('base64')}`);
    };
    for (const other of [
      text.replaceAll('\n', '\r\n'),
      `\ufeff${text}`,
      text.replace('index 3', 'index 03'),
      text.replace('index 3', 'index +3'),
      text.replace('index 3', 'index 0x3'),
      text.replace('index 3', 'Index 3'),
      text.replace(/^extra .*\n/m, ''),
      text.replace(/^(extra .*)$/m, '$1='),
      text.replace(/^extra /m, 'extra  '),
      text.replace(/^(extra .*\n)(index .*\n)/m, '$2$1'),
      text.replace('\n\n', '\nAAAA\n\n'),
      text.replace('\n\n', '\n\n\n'),
      withInner('line 1 5', 'line 1 05'),
      withInner('line 1 5', 'line  1 5'),
      withInner('line 1 5', 'line 5 5'),
      withInner('line 1 5', 'line 1 70000'),
      withInner('salt ', 'salt  '),
      withInner('salt ', 'salt 00'),
      withInner('node ', 'Node '),
      withInner('entry ', 'entry 0'),
      withInner('record ', 'record 9'),
      withInner('record ', 'record 1\nx'),
    ]) {
      assert.notEqual(other, text);
      assertRefused(checkLineProof(Buffer.from(other), { vkey: log.vkey }), 'form', other);
    }
  });

  it('names the step that fails', () => {
    const log = small();
    const other = newProofLog({ raws: [Buffer.from('m'), Buffer.from('x')], size: 7, index: 3 });
    const proof = log.prove(1);
    const cases: readonly (readonly [string, Partial<LineProof>, Step])[] = [
      ['another line of the batch', { record: log.records[2] ?? Buffer.alloc(0) }, 'line'],
      ['another salt', { salt: log.prove(2).salt }, 'line'],
      ['another place', { line: 2 }, 'line'],
      ['another path', { innerPath: log.prove(2).innerPath }, 'line'],
      ['a longer path', { innerPath: [...proof.innerPath, Buffer.alloc(hashSize)] }, 'line'],
      ['no path', { innerPath: [] }, 'line'],
      ['another number of lines', { lineCount: 6 }, 'entry'],
      ['two records', { record: Buffer.concat([proof.record, proof.record]) }, 'record'],
      ['no record', { record: Buffer.alloc(0) }, 'record'],
      ['another index', { index: 4 }, 'log'],
      ['beyond the log', { index: 7 }, 'log'],
      ['another outer path', { outerPath: proof.outerPath.toReversed() }, 'log'],
      [
        'another entry',
        { ...other.prove(1), outerPath: proof.outerPath, checkpoint: proof.checkpoint },
        'log',
      ],
      ['no batch', { entry: encodeEntry({ ...log.batch, kind: 'heartbeat' }) }, 'entry'],
      ['no entry', { entry: Buffer.from('holdfast.batch/v1\n') }, 'entry'],
      [
        'another time',
        { entry: encodeEntry({ ...log.batch, earliest: micros(log.batch.earliest + 1) }) },
        'entry',
      ],
      ['another root', { entry: encodeEntry({ ...log.batch, root: Buffer.alloc(hashSize) }) }, 'line'],
      ['no checkpoint', { checkpoint: Buffer.from('none') }, 'form'],
    ];
    for (const [what, part, step] of cases) assertRefused(check(log, { ...proof, ...part }), step, what);
  });

  it('proves nothing without a key, or with another one', () => {
    const log = small();
    const bytes = encodeLineProof(log.prove(1));
    assertRefused(checkLineProof(bytes, {}), 'key', 'no key');
    const stranger = createPublicKey(keyFromSeed(Buffer.alloc(32, 2)));
    for (const name of [log.vkey.name, 'else.example'])
      assertRefused(
        checkLineProof(bytes, { vkey: parseVkey(formatVkey(name, stranger)) }),
        'signature',
        name,
      );
    const tampered = encodeLineProof({ ...log.prove(1), index: 2 });
    assertRefused(checkLineProof(tampered, {}), 'log', 'found without a key too');
  });

  it('does not take the checkpoint of another log, even signed by the same key', () => {
    const log = small();
    const proof = log.prove(1);
    const { size, root } = parseCheckpoint(proof.checkpoint);
    const elsewhere = signNote(checkpointText('else.example', size, root), log.signer);
    assertRefused(check(log, { ...proof, checkpoint: elsewhere }), 'signature', 'another origin');
  });

  it('takes either key at the checkpoint where the key was replaced', () => {
    const log = small();
    const proof = log.prove(1);
    const privateKey = keyFromSeed(Buffer.alloc(32, 3));
    const next = parseVkey(formatVkey(log.vkey.name, createPublicKey(privateKey)));
    const { text } = parseNote(proof.checkpoint);
    const both = signNote(text, log.signer, { name: next.name, keyId: next.keyId, privateKey });
    const bytes = encodeLineProof({ ...proof, checkpoint: both });
    for (const vkey of [log.vkey, next]) {
      const verdict = checkLineProof(bytes, { vkey });
      assert.ok(verdict.proven);
      assert.deepEqual(verdict.claim.signatures.map(({ by }) => by).sort(), ['log', 'unknown']);
    }
  });
});

describe('cosignatures in a proof', () => {
  const time = 1_778_554_900;
  const witnessed = () => {
    const log = small();
    const proof = log.prove(4);
    const privateKey = keyFromSeed(Buffer.alloc(32, 9));
    const vkey = parseWitnessVkey(formatWitnessVkey('witness.example/w1', createPublicKey(privateKey)));
    const line = cosign({ text: parseNote(proof.checkpoint).text, witness: { vkey, privateKey }, time });
    const checkpoint = Buffer.concat([proof.checkpoint, Buffer.from(line)]);
    return { log, witness: vkey, plain: proof, bytes: encodeLineProof({ ...proof, checkpoint }) };
  };

  it('are named, and checked where the key of the witness is given', () => {
    const { log, witness, bytes } = witnessed();
    const unasked = checkLineProof(bytes, { vkey: log.vkey });
    assert.ok(unasked.proven);
    assert.deepEqual(
      unasked.claim.signatures.map(({ name, by, time: at }) => [name, by, at]),
      [
        [log.vkey.name, 'log', null],
        ['witness.example/w1', 'unknown', null],
      ],
    );
    const asked = checkLineProof(bytes, { vkey: log.vkey, witnesses: [witness] });
    assert.ok(asked.proven);
    assert.deepEqual(asked.claim.signatures[1], {
      name: 'witness.example/w1',
      keyId: witness.keyId.toString('hex'),
      by: 'witness',
      time,
    });
  });

  it('are asked for: one that is missing or does not match fails the check', () => {
    const { log, witness, plain, bytes } = witnessed();
    const missing = checkLineProof(encodeLineProof(plain), { vkey: log.vkey, witnesses: [witness] });
    assertRefused(missing, 'witness', 'missing');
    const text = bytes.toString();
    const at = text.lastIndexOf(' ') + 20;
    const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
    const given = { vkey: log.vkey, witnesses: [witness] };
    assertRefused(checkLineProof(Buffer.from(changed), given), 'witness', 'changed');
  });

  it('are the only bytes that may change where no key for them is given', () => {
    const { log, bytes } = witnessed();
    const own = bytes.lastIndexOf('\n—') + 1;
    let harmless = 0;
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      if (!checkLineProof(changed, { vkey: log.vkey }).proven) continue;
      harmless += 1;
      assert.ok(at > own, `byte ${at} may change`);
    }
    assert.ok(harmless > 50);
  });
});

describe('hostile proof files', () => {
  it('are refused, whatever is in them', () => {
    const log = small();
    const good = encodeLineProof(log.prove(1));
    for (let round = 0; round < (full ? 20_000 : 2_000); round++) {
      const bytes = Buffer.from(good);
      for (let i = randomInt(1, 9); i > 0; i--) bytes[randomInt(bytes.length)] = randomInt(256);
      if (bytes.equals(good)) continue;
      assert.ok(!checkLineProof(bytes, { vkey: log.vkey }).proven);
    }
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(100_000, 0x0a),
      Buffer.alloc(100_000, 0x41),
      randomBytes(5000),
    ])
      assertRefused(checkLineProof(bytes, { vkey: log.vkey }), 'form', 'no proof at all');
  });

  it('with a record that names a time beyond all calendars are refused, not stumbled over', () => {
    const log = newProofLog({ raws: [Buffer.from('m')], size: 1, index: 0 });
    const proof = log.prove(0);
    const record = Buffer.from(proof.record);
    record.fill(0xff, 8, 16);
    assertRefused(check(log, { ...proof, record }), 'record', 'time');
  });
});
