import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { backUp, changedBefore, putAside, putBack, sourced, writeEdit, type SourcedEdit } from './files.ts';
import type { Backup } from './journal.ts';

const isRoot = process.geteuid?.() === 0;
const asRoot = { skip: isRoot ? false : 'needs root' };
/** nobody and nogroup of Debian. */
const account = 65_534;

const directoryOf = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-fix-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

/** A file with its edit, and the backup in a directory of its own. */
const edited = (directory: string, path: string): { kept: string; backup: Backup; edit: SourcedEdit } => {
  const read = existsSync(path) ? new Map([[path, readFileSync(path, 'utf8')]]) : new Map<string, string>();
  const [edit] = sourced([{ path, text: 'new\n' }], read);
  assert.ok(edit !== undefined);
  const { backups, kept } = backUp([edit]);
  const [backup] = backups;
  assert.ok(backup !== undefined);
  const place = join(directory, 'kept');
  mkdirSync(place);
  for (const [name, bytes] of kept) writeFileSync(join(place, name), bytes);
  return { kept: place, backup, edit };
};

const code = (wanted: string) => (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === wanted;

/** What a kill leaves beside a file, by where it comes. */
const leftovers = ['.holdfast-unfinished', '.holdfast-unfinished.new'];

for (const leftover of [...leftovers, 'nothing'])
  for (const old of ['old\n', null])
    test(`killed with ${leftover} beside ${old === null ? 'a new file' : 'an old file'}: put back, and fixed again`, (t) => {
      const directory = directoryOf(t);
      const etc = join(directory, 'etc');
      const path = join(etc, 'conf.d', 'service.conf');
      if (old !== null) {
        mkdirSync(join(etc, 'conf.d'), { recursive: true });
        writeFileSync(path, old);
        chmodSync(path, 0o640);
      }
      const { kept, backup, edit } = edited(directory, path);
      writeEdit(backup, edit);
      if (leftover !== 'nothing') writeFileSync(`${path}${leftover}`, 'torn');
      putBack(kept, backup);
      if (old === null) assert.equal(existsSync(etc), false);
      else {
        assert.deepEqual(readdirSync(join(etc, 'conf.d')), ['service.conf']);
        assert.equal(readFileSync(path, 'utf8'), old);
        assert.equal(statSync(path).mode & 0o7777, 0o640);
        writeFileSync(`${path}${leftover}`, 'torn');
      }
      rmSync(`${path}nothing`, { force: true });
      writeEdit(backup, edit);
      assert.deepEqual(readdirSync(join(etc, 'conf.d')), ['service.conf']);
      assert.equal(readFileSync(path, 'utf8'), 'new\n');
    });

test('what was written into a file since is kept beside the journal', (t) => {
  const directory = directoryOf(t);
  const path = join(directory, 'service.conf');
  writeFileSync(path, 'old\n');
  const { kept, backup, edit } = edited(directory, path);
  assert.equal(putAside(kept, backup), null);
  writeEdit(backup, edit);
  assert.equal(putAside(kept, backup), null);
  writeFileSync(path, "the operator's\n");
  const copy = putAside(kept, backup);
  putBack(kept, backup);
  assert.equal(readFileSync(path, 'utf8'), 'old\n');
  assert.equal(readFileSync(copy ?? '', 'utf8'), "the operator's\n");
});

test('a file that changed after the plan, or after the backup, is not written', (t) => {
  const directory = directoryOf(t);
  const path = join(directory, 'service.conf');
  writeFileSync(path, 'old\n');
  const { backup, edit } = edited(directory, path);
  writeFileSync(path, "the operator's\n");
  assert.throws(() => backUp([edit]), code('check-failed'));
  assert.deepEqual(changedBefore([backup]), [path]);
  assert.throws(() => writeEdit(backup, edit), code('not-written'));
  assert.equal(readFileSync(path, 'utf8'), "the operator's\n");
});

test('a file that is not UTF-8 is refused, and so is a link', (t) => {
  const directory = directoryOf(t);
  const path = join(directory, 'service.conf');
  writeFileSync(path, Buffer.from('caf\xe9\n', 'latin1'));
  const text = readFileSync(path, 'utf8');
  assert.throws(() => sourced([{ path, text: 'new' }], new Map([[path, text]])), code('no-knob'));
  symlinkSync(path, join(directory, 'link.conf'));
  assert.throws(
    () => sourced([{ path: join(directory, 'link.conf'), text: 'new' }], new Map()),
    code('no-knob'),
  );
});

test('a directory that is a link elsewhere is refused', (t) => {
  const directory = directoryOf(t);
  mkdirSync(join(directory, 'elsewhere'));
  symlinkSync(join(directory, 'elsewhere'), join(directory, 'conf.d'));
  const path = join(directory, 'conf.d', 'new.conf');
  assert.throws(() => sourced([{ path, text: 'new' }], new Map()), code('no-knob'));
});

test("in an account's directory root follows no link that is put in the way", asRoot, (t) => {
  const directory = directoryOf(t);
  chmodSync(directory, 0o755);
  const shadow = join(directory, 'shadow');
  writeFileSync(shadow, 'secret', { mode: 0o600 });
  const data = join(directory, 'data');
  const path = join(data, 'auto.conf');
  mkdirSync(data);
  writeFileSync(path, 'old\n', { mode: 0o600 });
  for (const one of [data, path]) chownSync(one, account, account);
  const { kept, backup, edit } = edited(directory, path);
  symlinkSync(shadow, `${path}.holdfast-unfinished`);
  writeEdit(backup, edit);
  assert.deepEqual(
    [statSync(path).uid, statSync(path).gid, statSync(path).mode & 0o7777],
    [account, account, 0o600],
  );
  assert.equal(readFileSync(path, 'utf8'), 'new\n');
  putBack(kept, backup);
  assert.equal(readFileSync(path, 'utf8'), 'old\n');
  assert.deepEqual([statSync(shadow).uid, readFileSync(shadow, 'utf8')], [0, 'secret']);
});

test(
  "a directory of an account's that becomes a link leads nowhere that the account may not write",
  asRoot,
  (t) => {
    const directory = directoryOf(t);
    chmodSync(directory, 0o755);
    const data = join(directory, 'data');
    const inner = join(data, 'main');
    mkdirSync(inner, { recursive: true });
    for (const one of [data, inner]) chownSync(one, account, account);
    const path = join(inner, 'auto.conf');
    const { backup, edit } = edited(directory, path);
    const target = join(directory, 'apt.conf.d');
    mkdirSync(target);
    rmSync(inner, { recursive: true });
    symlinkSync(target, inner);
    assert.throws(() => writeEdit(backup, edit));
    assert.deepEqual(readdirSync(target), []);
  },
);

test(
  "root's file in an account's directory is refused, because the account could not put it back",
  asRoot,
  (t) => {
    const directory = directoryOf(t);
    chmodSync(directory, 0o755);
    const path = join(directory, 'data', 'service.conf');
    mkdirSync(join(directory, 'data'));
    writeFileSync(path, 'old\n');
    chownSync(join(directory, 'data'), account, account);
    const edits = sourced([{ path, text: 'new\n' }], new Map([[path, 'old\n']]));
    assert.throws(() => backUp(edits), code('no-knob'));
  },
);
