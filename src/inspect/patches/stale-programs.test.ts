import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { thisHost } from '../host.ts';
import { packageFinder } from '../services/packages.ts';
import { findStalePrograms, type StaleProgram } from './stale-programs.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-stale-'));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

const start = async (file: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<number> => {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } });
  children.push(child);
  await once(child, 'spawn');
  return child.pid ?? 0;
};

const look = async (ignored?: RegExp): Promise<StaleProgram[]> => {
  const looked = await findStalePrograms(thisHost, packageFinder(), ignored);
  return looked.result === 'found' ? looked.value : [];
};
const programOf = (programs: readonly StaleProgram[], pid: number): StaleProgram | undefined =>
  programs.find(({ pids }) => pids.includes(pid));

test('a process whose executable was deleted is found and named, one on its file is not', async () => {
  const copy = join(directory, 'sleeper');
  copyFileSync('/bin/sleep', copy);
  const gone = await start(copy, ['60']);
  const fine = await start('/bin/sleep', ['60']);
  assert.equal(programOf(await look(), gone), undefined, 'nothing is stale yet');
  rmSync(copy);
  const programs = await look();
  const program = programOf(programs, gone);
  assert.equal(program?.executable, copy);
  assert.deepEqual(program.files, [{ path: copy, was: 'deleted', part: 'executable', package: null }]);
  assert.match(program.restart, new RegExp(String(gone)));
  assert.equal(programOf(programs, fine), undefined);
});

test('a process on a deleted library is found; temporary directories are left out unless asked for', async (t) => {
  if (!existsSync('/usr/bin/gcc')) return t.skip('gcc is not installed');
  const library = join(directory, 'libtiny.so');
  const program = join(directory, 'uses-tiny');
  writeFileSync(join(directory, 'tiny.c'), 'int tiny(void) { return 7; }\n');
  writeFileSync(
    join(directory, 'main.c'),
    '#include <unistd.h>\n#include <stdio.h>\nint tiny(void);\nint main(void) { printf("%d\\n", tiny()); fflush(stdout); sleep(60); return 0; }\n',
  );
  for (const args of [
    ['-shared', '-fPIC', '-o', library, join(directory, 'tiny.c')],
    ['-o', program, join(directory, 'main.c'), library, `-Wl,-rpath,${directory}`],
  ]) {
    assert.equal(spawnSync('gcc', args).status, 0);
  }
  const pid = await start(program, []);
  const child = children.at(-1);
  if (child?.stdout) await once(child.stdout, 'data');
  writeFileSync(join(directory, 'libtiny.new'), 'not the same file');
  renameSync(join(directory, 'libtiny.new'), library);

  const found = programOf(await look(/^\[/), pid);
  assert.deepEqual(found?.files, [{ path: library, was: 'deleted', part: 'library', package: null }]);
  assert.equal(found.executable, program);
  if (directory.startsWith('/tmp/')) assert.equal(programOf(await look(), pid), undefined);
});

const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

test('an unprivileged look says how many processes it could not see, and does not call that clean', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root to become nobody');
  const code = `const [{ findStalePrograms }, { packageFinder }, { thisHost }] = await Promise.all([import(${url('./stale-programs.ts')}), import(${url('../services/packages.ts')}), import(${url('../host.ts')})]);
    console.log(JSON.stringify(await findStalePrograms(thisHost, packageFinder())))`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    uid: 65534,
    gid: 65534,
    cwd: '/',
    encoding: 'utf8',
  });
  if (/EACCES|ERR_MODULE_NOT_FOUND/.test(`${child.error?.message ?? ''}${child.stderr}`))
    return t.skip('nobody may not read this checkout');
  const looked: unknown = JSON.parse(child.stdout);
  assert.ok(typeof looked === 'object' && looked !== null && 'result' in looked && 'couldNotLook' in looked);
  assert.notEqual(looked.result, 'clean');
  assert.match(JSON.stringify(looked.couldNotLook), /"remedy":"run as root"/);
});
