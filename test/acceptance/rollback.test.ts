import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  openCosignature,
  openCosigned,
  parseVkey,
  parseWitnessVkey,
  parseCheckpoint,
} from '#vault/checkpoint';
import {
  holdfast,
  removeState,
  run,
  search,
  startUp,
  temporaryState,
  until,
  type RunningUp,
} from '../harness/up.ts';

/** A real `holdfast witness`, on a state directory of its own, that takes checkpoints. */
const startWitness = async (
  t: TestContext,
  logKey: string,
): Promise<{ vkey: string; url: string; home: string; process: ChildProcess }> => {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-witness-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const made = run('witness', '--init', '--state', home, '--name', 'w.example/1', '--log', logKey);
  assert.equal(made.status, 0, made.stderr);
  const child = spawn(holdfast, ['witness', '--state', home, '--listen', '127.0.0.1:0', '--log', logKey]);
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await until('it listens', () => /http:\S+\/add-checkpoint\n/.test(output));
  const url = (/http:\S+/.exec(output)?.[0] ?? '').replace(/\/add-checkpoint$/, '');
  return { vkey: made.stdout.trim(), url, home, process: child };
};

/** Owners and modes too, as a backup of root's has them. */
const copy = (from: string, to: string): void => {
  assert.equal(spawnSync('cp', ['-a', from, to]).status, 0);
};

const say = (up: RunningUp, text: string): void => {
  const port = String(up.syslogUdp());
  assert.equal(spawnSync('logger', ['--udp', '--server', '127.0.0.1', '--port', port, text]).status, 0);
};

test('a whole state directory that was put back is found out by an outside witness before anything is signed', async (t) => {
  const state = temporaryState();
  t.after(() => removeState(state));
  const first = await startUp(state);
  await first.interrupt();
  const witness = await startWitness(t, state.vkeyFile);
  const watched = ['--no-agent', '--witness', `${witness.vkey}=${witness.url}`];
  const witnessed = join(state.vault, 'checkpoint.witnessed');

  let up = await startUp(state, watched);
  await until('a checkpoint is witnessed', () => existsSync(witnessed));
  const note = readFileSync(witnessed);
  assert.ok(openCosignature(note, parseWitnessVkey(witness.vkey)) > 1_700_000_000);
  assert.ok(openCosigned(note, parseVkey(readFileSync(state.vkeyFile, 'utf8'))).size > 0);
  const verified = run('vault', 'verify', '--state', state.root, '--witness', witness.vkey);
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  assert.match(verified.stdout, /^freshness current: as new as what w\.example\/1 remembered at /m);
  await until('searches say so', () => search(state, '').answer.freshness.verdict === 'current');
  const blind = run('vault', 'verify', '--state', state.root).stdout;
  assert.match(blind, /^freshness unknown: /m);
  await up.interrupt();

  const backup = mkdtempSync(join(tmpdir(), 'holdfast-backup-'));
  t.after(() => rmSync(backup, { recursive: true, force: true }));
  const parts = ['vault', 'keys', 'intake', 'index', 'feeds', 'spool'];
  for (const part of parts) copy(join(state.root, part), join(backup, part));

  up = await startUp(state, watched);
  say(up, 'said after the backup');
  await until('the line is found', () => search(state, '"after the backup"').hits.length === 1);
  await up.interrupt();
  // The courier brings the newest checkpoint at its start.
  up = await startUp(state, watched);
  const remembered = (): number =>
    Number(/size (\d+)/.exec(run('witness', 'show', '--state', witness.home).stdout)?.[1] ?? 0);
  const { size: backedUp } = parseCheckpoint(readFileSync(join(backup, 'vault', 'checkpoint')));
  await until('the witness remembers more', () => remembered() > backedUp);
  await up.interrupt();

  for (const part of parts) {
    rmSync(join(state.root, part), { recursive: true });
    copy(join(backup, part), join(state.root, part));
  }
  const old = readFileSync(join(state.vault, 'checkpoint'));
  up = await startUp(state, watched);
  t.after(() => up.interrupt());
  await until('the keeper refuses', () => existsSync(join(state.keys, 'contradiction')));
  await until('it says so', () => /put back to an older one/.test(up.output()));
  assert.ok(readFileSync(join(state.vault, 'checkpoint')).equals(old), 'nothing was signed');
  assert.ok(readFileSync(join(state.keys, 'lock')).includes(old), 'nothing was signed');
  const looked = run('vault', 'fsck', '--state', state.root);
  assert.equal(looked.status, 1);
  assert.match(looked.stdout, /keys\/contradiction/);
  for (const witnesses of [[], ['--witness', witness.vkey]]) {
    const contradicted = run('vault', 'verify', '--state', state.root, ...witnesses);
    assert.equal(contradicted.status, 1);
    assert.match(contradicted.stdout, /^freshness contradicted: keys\/contradiction remembers size \d+; /m);
    assert.match(contradicted.stdout, /restore the newer state/);
  }
  await until(
    'searches say so',
    () => search(state, 'app:holdfast').answer.freshness.verdict === 'contradicted',
    5000,
  );
  assert.match(
    search(state, 'app:holdfast').answer.freshness.detail,
    /remembers size \d+, and the vault ends at/,
  );
  say(up, 'intake goes on');
});

test('a live Holdfast replaces its key: search, verification, publication and proofs go on', async (t) => {
  const state = temporaryState();
  t.after(() => removeState(state));
  const up = await startUp(state, ['--publish', '127.0.0.1:0']);
  t.after(() => up.interrupt());
  say(up, 'before the rotation');
  await until('the first line is found', () => search(state, '"before the rotation"').hits.length === 1);
  const old = readFileSync(state.vkeyFile, 'utf8').trim();
  const proof = join(state.root, 'old.tlog-proof');
  const address = search(state, '"before the rotation"').hits[0]?.address ?? '';
  assert.equal(run('vault', 'prove', address, '-o', proof, '--state', state.root).status, 0);

  const asked = ['--reason', 'yearly', '--by', 'Ada Lovelace', '--state', state.root];
  const rotated = run('vault', 'rotate-key', ...asked);
  assert.equal(rotated.status, 0, rotated.stderr);
  const now = readFileSync(state.vkeyFile, 'utf8').trim();
  assert.notEqual(now, old);
  assert.ok(rotated.stdout.includes(now) && rotated.stdout.includes(old));

  say(up, 'after the rotation');
  await until('the second line is found', () => search(state, '"after the rotation"').hits.length === 1);
  assert.equal(search(state, 'rotation').answer.integrity.verdict, 'unaltered');
  for (const key of [now, old]) {
    const verified = run('vault', 'verify', '--key', key, '--state', state.root);
    assert.equal(
      verified.status,
      0,
      `${key === old ? 'old' : 'new'} key: ${verified.stdout}${verified.stderr}`,
    );
  }
  assert.equal(run('vault', 'check', proof, '--key', old).status, 0);
  const published = `http://${up.ready().publisher}`;
  await until('the new key is published', async () =>
    (await (await fetch(`${published}/vkey`)).text()).includes(now),
  );
  assert.equal((await fetch(`${published}/checkpoint`)).status, 200);
  const newer = search(state, '"after the rotation"').hits[0]?.address ?? '';
  const proven = run('vault', 'prove', newer, '-o', `${proof}2`, '--state', state.root);
  assert.equal(proven.status, 0, proven.stderr);
  assert.equal(run('vault', 'check', `${proof}2`, '--key', now).status, 0);
});
