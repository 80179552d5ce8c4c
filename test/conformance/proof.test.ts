import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openAppender } from '#vault/append';
import { encodeLineProof, parseLineProof, type LineProof } from '#vault/prove';
import { openVault } from '#vault/read';
import { beats, delivery, newTestVault, type TestVault } from '../../src/vault/testing/test-vault.ts';

const gopath = '/usr/share/gocode';

const noGo = (): string | false => {
  if (spawnSync('go', ['version']).status !== 0) return 'no Go: apt install golang-go';
  return existsSync(join(gopath, 'src/golang.org/x/mod/sumdb/tlog'))
    ? false
    : 'no golang.org/x/mod: apt install golang-golang-x-mod-dev';
};

const noOpenssl = (): string | false =>
  spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl: apt install openssl';

/** The bytes with one bit of one byte changed. */
const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

describe('the proof of a line, in the eyes of others', () => {
  let made: TestVault;
  let dir: string;
  const raws = ['one', 'two', 'three', '', 'ü\u0000'].map((text) => Buffer.from(text));

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'holdfast-go-proof-'));
    made = newTestVault();
    made.receive(delivery('one\ntwo\n'), ...raws.slice(2).map((raw) => delivery(raw, { framing: 0 })));
    await made.keep();
    const appender = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock });
    await appender.commit(beats(300), appender.intake());
    appender.close();
  });
  after(() => {
    made.remove();
    rmSync(dir, { recursive: true });
  });

  const prove = (line: number): LineProof => openVault(made.vault, { vkey: made.vkey }).prove(1, line);

  describe('golang.org/x/mod/sumdb', { skip: noGo() }, () => {
    before(() => {
      const { GOFLAGS: _, ...env } = process.env;
      execFileSync('go', ['build', '-o', join(dir, 'lineproof'), 'main.go'], {
        cwd: join(import.meta.dirname, 'go', 'lineproof'),
        env: { ...env, GO111MODULE: 'off', GOPATH: gopath, GOCACHE: join(dir, 'cache') },
      });
    });
    const check = (bytes: Buffer) => {
      const file = join(dir, 'line.tlog-proof');
      writeFileSync(file, bytes);
      return spawnSync(join(dir, 'lineproof'), [file, join(made.keys, 'vault.vkey')], { encoding: 'utf8' });
    };

    it('accepts the proof of every line, and finds its bytes in it', () => {
      for (const [i, raw] of raws.entries()) {
        const { status, stdout, stderr } = check(encodeLineProof(prove(i + 1)));
        assert.equal(status, 0, stderr);
        const found = JSON.parse(stdout);
        assert.deepEqual([found.address, found.size], [`1:${i + 1}`, 302]);
        assert.equal(found.raw, raw.toString('base64'));
      }
      assert.equal(check(encodeLineProof(prove(0))).status, 0, 'the manifest');
    });

    it('refuses it with any part of it changed', () => {
      const proof = prove(2);
      assert.ok(proof.innerPath.length > 1 && proof.outerPath.length > 1);
      const within = (hashes: readonly Buffer[], at: number): Buffer[] =>
        hashes.map((hash, i) => (i === at ? flipped(hash, 31) : hash));
      const changes: readonly (readonly [string, Partial<LineProof>])[] = [
        ['the last byte of the record', { record: flipped(proof.record, proof.record.length - 1) }],
        ['its time of receipt', { record: flipped(proof.record, 15) }],
        ['its peer', { record: flipped(proof.record, 55) }],
        ['the salt', { salt: flipped(proof.salt, 0) }],
        ...proof.innerPath.map(
          (_, i) => [`inner hash ${i}`, { innerPath: within(proof.innerPath, i) }] as const,
        ),
        ...proof.outerPath.map(
          (_, i) => [`outer hash ${i}`, { outerPath: within(proof.outerPath, i) }] as const,
        ),
        ['the entry', { entry: flipped(proof.entry, proof.entry.length - 3) }],
        ['the index', { index: 2 }],
        ['the line', { line: 3 }],
        ['the number of lines', { lineCount: proof.lineCount + 1 }],
        [
          'the size in the checkpoint',
          { checkpoint: Buffer.from(proof.checkpoint.toString().replace('\n302\n', '\n303\n')) },
        ],
        ['the signature', { checkpoint: flipped(proof.checkpoint, proof.checkpoint.length - 10) }],
        ['the path of another line', { innerPath: prove(3).innerPath }],
      ];
      for (const [what, change] of changes) {
        const { status, stderr } = check(encodeLineProof({ ...proof, ...change }));
        assert.equal(status, 1, `${what} changed: accepted`);
        assert.ok(stderr.length > 0);
      }
      assert.equal(check(encodeLineProof(proof)).status, 0, 'as it was');
    });
  });

  it('openssl accepts the signature of its checkpoint, and of no other', { skip: noOpenssl() }, () => {
    const { checkpoint } = parseLineProof(encodeLineProof(prove(1)));
    const [text = '', signatures = ''] = checkpoint.toString().split('\n\n');
    // name+id+key; base64 may have a plus of its own.
    const [, , ...encoded] = readFileSync(join(made.keys, 'vault.vkey'), 'utf8').trim().split('+');
    const key = Buffer.from(encoded.join('+'), 'base64').subarray(1);
    const file = (name: string, bytes: string | Buffer): string => {
      writeFileSync(join(dir, name), bytes);
      return join(dir, name);
    };
    const pub = file('pub.der', Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]));
    const signature = Buffer.from(signatures.split(' ').at(-1)?.trim() ?? '', 'base64').subarray(4);
    const verify = (body: string): number | null =>
      spawnSync(
        'openssl',
        `pkeyutl -verify -pubin -keyform DER -inkey ${pub} -rawin -in ${file('text', body)} -sigfile ${file('sig', signature)}`.split(
          ' ',
        ),
      ).status;
    assert.equal(verify(`${text}\n`), 0);
    assert.notEqual(verify(`${text.replace('\n302\n', '\n303\n')}\n`), 0);
  });
});
