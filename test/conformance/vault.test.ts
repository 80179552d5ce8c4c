import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openAppender } from '#vault/append';
import { delivery, newTestVault, type TestVault } from '../../src/vault/testing/test-vault.ts';

const gopath = '/usr/share/gocode';

const missing = (): string | false => {
  if (spawnSync('go', ['version']).status !== 0) return 'no Go: apt install golang-go';
  return existsSync(join(gopath, 'src/golang.org/x/mod/sumdb/tlog'))
    ? false
    : 'no golang.org/x/mod: apt install golang-golang-x-mod-dev';
};

const noOpenssl = (): string | false =>
  spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl: apt install openssl';

/** Enough for two full tiles, a level above them, and many checkpoints; lines in some of the entries. */
const build = async (): Promise<TestVault> => {
  const made = newTestVault();
  made.receive(delivery('one\ntwo\n'));
  await made.keep();
  const appender = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock });
  for (const count of [1, 1, 3, 200, 49, 1, 256, 17]) {
    await appender.commit(
      Array.from({ length: count }, () => ({ kind: 'heartbeat' }) as const),
      appender.intake(),
    );
  }
  appender.close();
  made.receive(delivery('three\n'));
  await made.keep();
  return made;
};

const changed = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

describe('golang.org/x/mod/sumdb', { skip: missing() }, () => {
  let dir: string;
  let made: TestVault;
  const checker = () =>
    spawnSync(join(dir, 'checker'), [made.vault, join(made.keys, 'vault.vkey')], { encoding: 'utf8' });

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'holdfast-go-'));
    const { GOFLAGS: _, ...env } = process.env;
    execFileSync('go', ['build', '-o', join(dir, 'checker'), 'main.go'], {
      cwd: join(import.meta.dirname, 'go'),
      env: { ...env, GO111MODULE: 'off', GOPATH: gopath, GOCACHE: join(dir, 'cache') },
    });
    made = await build();
  });
  after(() => {
    made.remove();
    rmSync(dir, { recursive: true });
  });

  it('accepts every signature, every entry, and every pair of checkpoints', () => {
    const { status, stdout, stderr } = checker();
    assert.equal(status, 0, stderr);
    const found = JSON.parse(stdout);
    const size = Number(made.read('checkpoint').toString().split('\n')[1]);
    assert.ok(size > 512 && found.size === size && found.entries === size, stdout);
    assert.ok(
      found.checkpoints > 10 && found.pairs === (found.checkpoints * (found.checkpoints - 1)) / 2,
      stdout,
    );
  });

  it('refuses a vault that was tampered with', () => {
    const newest = made.files().findLast((path) => path.includes('.p/'));
    for (const path of [
      'checkpoint',
      'tile/0/000',
      'tile/0/001',
      'tile/entries/000',
      'tile/entries/001',
      'history/000',
      newest ?? '',
    ]) {
      const bytes = made.read(path);
      for (const at of [bytes.length - 2, bytes.length - 40]) {
        made.write(path, changed(bytes, at));
        const { status, stderr } = checker();
        made.write(path, bytes);
        assert.equal(status, 1, `byte ${at} of ${path} changed: accepted`);
        assert.ok(stderr.length > 0);
      }
    }
    assert.equal(checker().status, 0, 'everything was put back');
  });
});

describe('openssl', { skip: noOpenssl() }, () => {
  it('accepts the signature of a checkpoint, and of nothing else', async () => {
    const made = newTestVault();
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-openssl-'));
    try {
      await made.keep();
      const note = made.read('checkpoint').toString();
      const [text = '', signature = ''] = note.split('\n\n');
      // name+id+key; base64 may have a plus of its own.
      const [, , ...encoded] = readFileSync(join(made.keys, 'vault.vkey'), 'utf8').trim().split('+');
      const key = Buffer.from(encoded.join('+'), 'base64');
      const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key.subarray(1)]);
      const pem = createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({
        type: 'spki',
        format: 'pem',
      });
      const file = (name: string, bytes: string | Buffer): string => {
        writeFileSync(join(dir, name), bytes);
        return join(dir, name);
      };
      const pub = file('pub.pem', pem);
      const sig = file('sig', Buffer.from(signature.split(' ').at(-1)?.trim() ?? '', 'base64').subarray(4));
      const verify = (body: string) =>
        spawnSync('openssl', [
          'pkeyutl',
          '-verify',
          '-pubin',
          '-inkey',
          pub,
          '-rawin',
          '-in',
          file('text', body),
          '-sigfile',
          sig,
        ]).status;
      assert.equal(verify(`${text}\n`), 0);
      assert.notEqual(verify(`${text.replace(/\n\d+\n/, '\n9\n')}\n`), 0);
    } finally {
      rmSync(dir, { recursive: true });
      made.remove();
    }
  });
});
