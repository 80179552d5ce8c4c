import assert from 'node:assert/strict';
import fs, {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '#base/clock';
import { verifyVault } from '#vault/verify';
import { openAppender } from './appender.ts';
import { createVault } from './create.ts';
import { isCutShortCreation } from './cut-short.ts';
import { beats, delivery, vaultFor, withCode } from '../testing/test-vault.ts';

const clock = systemClock();

const places = (t: TestContext): { root: string; vault: string; keys: string } => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-create-'));
  t.after(() => rmSync(root, { recursive: true }));
  return { root, vault: join(root, 'vault'), keys: join(root, 'keys') };
};

const allBelow = (...directories: string[]): string[] =>
  directories.flatMap((directory) => [
    directory,
    ...readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name)),
  ]);

/** Lets the process die, so to speak, at the nth call of those that change or sync something. */
const dyingAt = (nth: number, act: () => void): { died: boolean; calls: number } => {
  let calls = 0;
  const names = [
    'writeSync',
    'fsyncSync',
    'fchownSync',
    'fchmodSync',
    'lchownSync',
    'chmodSync',
    'renameSync',
    'mkdirSync',
    'rmSync',
    'rmdirSync',
  ] as const;
  const originals = names.map((name) => [name, fs[name]] as const);
  const death = new Error('death');
  for (const [name, original] of originals) {
    const counted = (...args: unknown[]): unknown => {
      if (calls++ >= nth) throw death;
      return Reflect.apply(original, fs, args);
    };
    Object.defineProperty(fs, name, { value: counted, configurable: true, writable: true });
  }
  syncBuiltinESMExports();
  try {
    act();
    return { died: false, calls };
  } catch (error) {
    if (error !== death) throw error;
    return { died: true, calls };
  } finally {
    for (const [name, original] of originals)
      Object.defineProperty(fs, name, { value: original, configurable: true, writable: true });
    syncBuiltinESMExports();
  }
};

describe('the making of a vault', () => {
  it('cut short at any system call is recognised, and the next one begins again', async (t) => {
    const made = places(t);
    const { calls } = dyingAt(Infinity, () => createVault({ ...made, clock }));
    assert.ok(calls > 40, `${calls} calls`);
    let complete = 0;
    for (let nth = 0; nth < calls; nth++) {
      for (const path of [made.vault, made.keys]) rmSync(path, { recursive: true, force: true });
      mkdirSync(made.keys);
      assert.ok(dyingAt(nth, () => createVault({ ...made, clock })).died);
      const isNothing = readdirSync(made.keys).length === 0;
      const isComplete = readdirSync(made.keys).includes('lock');
      assert.equal(isCutShortCreation(made), !isNothing && !isComplete, `death at call ${nth}`);
      if (isComplete) complete += 1;
      else {
        // Also where what clears it away is cut short.
        dyingAt(nth % 7, () => createVault({ ...made, clock }));
        createVault({ ...made, clock });
      }
      if (nth % 6 !== 0 && !isComplete) continue;
      const appender = await openAppender({ ...made, clock, patienceMs: 0 });
      await appender.commit(beats(1), '');
      appender.close();
      const vkey = readFileSync(join(made.keys, 'vault.vkey'), 'utf8');
      const report = await verifyVault({ vault: made.vault, vkey, lock: join(made.keys, 'lock') });
      assert.deepEqual(report.problems, [], `death at call ${nth}`);
      assert.deepEqual(readdirSync(made.keys).sort(), ['keeper.lock', 'lock', 'signer.key', 'vault.vkey']);
    }
    assert.ok(complete > 0 && complete < 10, `${complete} were complete`);
  });

  it('belongs to its keeper before it is one', { skip: process.getuid?.() !== 0 && 'not root' }, (t) => {
    const made = places(t);
    const [uid, gid] = [61_234, 61_235];
    mkdirSync(made.vault);
    chownSync(made.vault, 0, gid);
    chmodSync(made.vault, 0o2750);
    const umask = process.umask(0o077);
    t.after(() => process.umask(umask));
    const { calls } = dyingAt(Infinity, () => createVault({ ...made, clock, owner: { uid } }));
    for (const path of allBelow(made.vault, made.keys)) assert.equal(lstatSync(path).uid, uid, path);
    for (const path of allBelow(made.vault)) assert.equal(lstatSync(path).gid, gid, path);
    const modeOf = (path: string): number => statSync(path).mode & 0o7777;
    assert.equal(modeOf(join(made.vault, 'tile')), 0o2750);
    assert.equal(modeOf(join(made.vault, 'checkpoint')), 0o640);
    assert.equal(modeOf(join(made.keys, 'signer.key')), 0o600);
    assert.equal(modeOf(join(made.keys, 'vault.vkey')), 0o644);
    // At no moment is there a lock record and something that is not the keeper's.
    for (let nth = 0; nth < calls; nth++) {
      for (const path of [made.vault, made.keys]) rmSync(path, { recursive: true, force: true });
      dyingAt(nth, () => createVault({ ...made, clock, owner: { uid } }));
      if (!fs.existsSync(join(made.keys, 'lock'))) continue;
      const others = allBelow(made.vault, made.keys).filter((path) => lstatSync(path).uid !== uid);
      assert.deepEqual(
        others.filter((path) => !path.endsWith('tmp-creating')),
        [],
        `death at call ${nth}`,
      );
    }
  });

  it('never takes for its own what may hold, or may have held, a line', async (t) => {
    const made = vaultFor(t);
    made.receive(delivery('one\n'));
    await made.keep();
    const mark = join(made.keys, 'tmp-creating');
    writeFileSync(mark, '');
    const refused = (what: string): void => {
      assert.ok(!isCutShortCreation(made), what);
      assert.throws(() => createVault({ ...made, clock }), withCode('exists'), what);
    };
    refused('a whole vault');
    rmSync(join(made.keys, 'lock'));
    refused('a vault without its lock record');
    for (const part of ['tile', 'segment']) rmSync(join(made.vault, part), { recursive: true });
    rmSync(join(made.keys, 'keeper.lock'));
    refused('a checkpoint of some size');
    rmSync(join(made.vault, 'checkpoint'));
    refused('a history of some sizes');
    rmSync(join(made.vault, 'history'), { recursive: true });
    mkdirSync(join(made.vault, 'segment'));
    writeFileSync(join(made.vault, 'segment', '000.zst'), '');
    refused('a segment');
    rmSync(join(made.vault, 'segment'), { recursive: true });
    cpSync(mark, join(made.vault, 'notes'));
    refused('a file of somebody else');
    rmSync(join(made.vault, 'notes'));
    rmSync(mark);
    refused('a key alone, as somebody may have restored it');
    writeFileSync(mark, '');
    assert.ok(isCutShortCreation(made));
  });
});
