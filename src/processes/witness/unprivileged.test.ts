import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { newTestLog, temporaryDirectory } from '../../witness/testing/test-log.ts';
import { accounts } from '../up/accounts.ts';
import { init, post, run, start } from './testing/started.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can become another user';
const { uid, gid, groups } = accounts.witness;

describe('holdfast witness, started by root', { skip }, () => {
  it('is a user of its own, without capabilities or a way to any, and still the process that was started', async (t) => {
    const log = newTestLog();
    const { state, file } = init(t, log);
    // Only root can read the log's key here, and the directory that it lies in.
    chmodSync(file, 0o600);
    const started = await start(t, '--state', state, '--log', file, '--listen', '127.0.0.1:0');
    const status = readFileSync(`/proc/${started.process.pid}/status`, 'utf8');
    const of = (name: string): string | undefined =>
      new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(status)?.[1];
    assert.equal(of('Uid'), Array(4).fill(uid).join('\t'));
    assert.equal(of('Gid'), Array(4).fill(gid).join('\t'));
    assert.equal(of('Groups'), groups.join(' '));
    assert.equal(of('NoNewPrivs'), '1');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.equal(BigInt(`0x${of(set)}`), 0n, set);
    const environment = readFileSync(`/proc/${started.process.pid}/environ`, 'utf8');
    assert.equal(environment.includes(`HOME=${join(state, 'witness')}`), true);
    assert.equal((await post(started.url(), log.submission(0, 5))).status, 200);
    assert.equal(run('show', '--json', '--state', state).status, 0);
  });

  it('takes over a directory that root wrote before, with all that is remembered', async (t) => {
    const log = newTestLog();
    const { state, file } = init(t, log);
    const home = join(state, 'witness');
    const paths = ['', ...readdirSync(home, { recursive: true, encoding: 'utf8' })].map((path) =>
      join(home, path),
    );
    assert.ok(paths.length > 5);
    for (const path of paths) chownSync(path, 0, 0);
    const { url } = await start(t, '--state', state, '--log', file, '--listen', '127.0.0.1:0');
    for (const path of paths) assert.equal(statSync(path).uid, uid, path);
    assert.equal((await post(url(), log.submission(0, 5))).status, 200);
  });

  it('leaves alone what a link in its directory leads to', async (t) => {
    const log = newTestLog();
    const { state, file } = init(t, log);
    const elsewhere = temporaryDirectory(t);
    writeFileSync(join(elsewhere, 'file'), '');
    const link = join(state, 'witness', 'link');
    symlinkSync(elsewhere, link);
    chownSync(join(state, 'witness'), 0, 0);
    await start(t, '--state', state, '--log', file, '--listen', '127.0.0.1:0');
    assert.equal(lstatSync(link).uid, uid);
    assert.equal(statSync(elsewhere).uid, 0);
    assert.equal(statSync(join(elsewhere, 'file')).uid, 0);
  });

  it('does not witness as root where it cannot be another, and says what to do', (t) => {
    const log = newTestLog();
    const { state, file } = init(t, log);
    const served = ['--log', file, '--listen', '127.0.0.1:0'];
    const isRefused = (what: RegExp, ...args: string[]): void => {
      const { status, stderr } = run(...args);
      assert.equal(status, 3, stderr);
      assert.match(stderr, what);
    };
    const closed = temporaryDirectory(t);
    chmodSync(closed, 0o700);
    const inside = join(closed, 'state');
    isRefused(/is closed to others/, '--init', '--state', inside, '--name', 'w', '--log', file);
    const key = join(closed, 'witness.key');
    isRefused(/may not read .*witness\.key/, '--state', state, '--key-file', key, ...served);
    chownSync(join(state, 'witness'), 4242, 4242);
    isRefused(/belongs to uid 4242.*chown/, '--state', state, ...served);
    const keys = temporaryDirectory(t);
    mkdirSync(join(keys, 'own'));
    chmodSync(keys, 0o755);
    chownSync(join(keys, 'own'), uid, gid);
    const file2 = join(keys, 'own', 'w.key');
    const other = temporaryDirectory(t);
    const made = run('--init', '--state', other, '--name', 'w', '--log', file, '--key-file', file2);
    assert.equal(made.status, 0, made.stderr);
    assert.ok(existsSync(file2));
  });
});
