import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cosign, formatWitnessVkey, parseWitnessVkey } from '#vault/checkpoint';
import { originHash } from '#witness';
import { holdfast, run } from '../harness/up.ts';

const gopath = '/usr/share/gocode';

const missing = (): string | false => {
  if (spawnSync('go', ['version']).status !== 0) return 'no Go: apt install golang-go';
  return existsSync(join(gopath, 'src/golang.org/x/mod/sumdb/tlog'))
    ? false
    : 'no golang.org/x/mod: apt install golang-golang-x-mod-dev';
};

const noOpenssl = (): string | false =>
  spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl: apt install openssl';

describe('a log written in Go, and `holdfast witness`', { skip: missing() }, () => {
  let dir: string;
  const go = (...args: string[]) =>
    spawnSync(join(dir, 'go-witness'), args, { encoding: 'utf8', timeout: 60_000 });

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'holdfast-go-witness-'));
    // Started by root, the witness is another user.
    chmodSync(dir, 0o755);
    const { GOFLAGS: _, ...env } = process.env;
    execFileSync('go', ['build', '-o', join(dir, 'go-witness'), 'main.go'], {
      cwd: join(import.meta.dirname, 'go-witness'),
      env: { ...env, GO111MODULE: 'off', GOPATH: gopath, GOCACHE: join(dir, 'cache') },
    });
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('gets cosignatures that Go accepts, and each refusal that tlog-witness names', async (t) => {
    const origin = 'go.example/log';
    const skey = join(dir, 'log.skey');
    const vkey = go('key', origin, skey).stdout.trim();
    const state = join(dir, 'state');
    const made = run('witness', '--init', '--state', state, '--name', 'witness.example/w1', '--log', vkey);
    assert.equal(made.status, 0, made.stderr);
    const witness = made.stdout.trim();
    const serving = spawn(holdfast, ['witness', '--state', state, '--log', vkey, '--listen', '127.0.0.1:0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => serving.kill('SIGKILL'));
    let said = '';
    serving.stdout.setEncoding('utf8');
    while (!/http:\S+\n/.test(said)) said += String((await once(serving.stdout, 'data'))[0]);
    const url = /http:\S+/.exec(said)?.[0] ?? '';
    const log = go('log', skey, url, witness);
    assert.equal(log.status, 0, log.stderr);
    assert.deepEqual(JSON.parse(log.stdout), { cosigned: 16 });

    const memory = join(state, 'witness', 'memory', originHash(origin));
    const opened = go('open', memory, vkey, witness);
    assert.equal(opened.status, 0, opened.stderr);
    assert.deepEqual(JSON.parse(opened.stdout), { size: 600 });
    const changed = join(dir, 'changed');
    writeFileSync(changed, readFileSync(memory, 'utf8').replace('\n600\n', '\n601\n'));
    assert.equal(go('open', changed, vkey, witness).status, 1);
    serving.kill('SIGINT');
    assert.deepEqual(await once(serving, 'close'), [0, null]);
  });
});

describe('openssl', { skip: noOpenssl() }, () => {
  it('accepts the raw signature of a cosignature over its two lines and the text, and over nothing else', (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-openssl-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const vkey = formatWitnessVkey('witness.example/w1', publicKey);
    const text = 'log.example/0\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n';
    const line = cosign({ text, witness: { vkey: parseWitnessVkey(vkey), privateKey }, time: 1_679_315_147 });
    const file = (name: string, bytes: string | Buffer): string => {
      writeFileSync(join(dir, name), bytes);
      return join(dir, name);
    };
    const key = Buffer.from(vkey.split('+').slice(2).join('+'), 'base64').subarray(1);
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
    const pem = createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({
      type: 'spki',
      format: 'pem',
    });
    const pub = file('pub.pem', pem);
    const sig = file('sig', Buffer.from(line.trim().split(' ').at(-1) ?? '', 'base64').subarray(12));
    const verify = (message: string) =>
      spawnSync(
        'openssl',
        `pkeyutl -verify -pubin -inkey ${pub} -rawin -in ${file('message', message)} -sigfile ${sig}`.split(
          ' ',
        ),
      ).status;
    assert.equal(verify(`cosignature/v1\ntime 1679315147\n${text}`), 0);
    assert.notEqual(verify(`cosignature/v1\ntime 1679315148\n${text}`), 0);
    assert.notEqual(verify(text), 0);
  });
});
