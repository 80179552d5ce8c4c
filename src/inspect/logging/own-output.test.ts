import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NamedProcess, OpenFiles } from './open-files.ts';
import { foreignFiles } from './own-output.ts';

const proc = (pid: number, parent: number): NamedProcess => ({
  pid,
  parent,
  name: 'node',
  script: null,
  arguments: [],
});
/** init 1 → shell 5 → npm 6 → supervisor 10 → agent 11 → journalctl 12; a stranger 20 beside them. */
const processes = [proc(1, 0), proc(5, 1), proc(6, 5), proc(10, 6), proc(11, 10), proc(12, 11), proc(20, 5)];
const open = (files: Record<string, number[]>): OpenFiles => ({
  processes,
  named: 'all',
  written: Object.entries(files).flatMap(([path, pids]) =>
    pids.flatMap((pid) =>
      processes
        .filter((each) => each.pid === pid)
        .map((process) => ({ path, deleted: false, process, append: true })),
    ),
  ),
  sockets: new Map(),
  couldNotLook: [],
});
const ownOf = (files: Record<string, number[]>, pids: number[]): string[] => [
  ...foreignFiles(open(files), pids).own,
];

test('what Holdfast alone writes is its own, with its children and those that started it', () => {
  assert.deepEqual(ownOf({ '/srv/up.log': [10, 11] }, [10, 11]), ['/srv/up.log']);
  assert.deepEqual(ownOf({ '/srv/up.log': [5, 6, 10, 12] }, [10, 11]), ['/srv/up.log']);
  const { files } = foreignFiles(open({ '/srv/up.log': [10], '/srv/app.log': [20] }), [10]);
  assert.deepEqual(
    files.map(({ path }) => path),
    ['/srv/app.log'],
  );
});

test('a file that others write too, that only the starter writes, or that PID 1 writes, is a log like any other', () => {
  assert.deepEqual(ownOf({ '/srv/all.log': [10, 20] }, [10, 11]), []);
  assert.deepEqual(ownOf({ '/srv/npm.log': [6] }, [10, 11]), []);
  assert.deepEqual(ownOf({ '/srv/container.log': [1, 10] }, [10, 11]), []);
  assert.deepEqual(ownOf({ '/srv/up.log': [10] }, []), []);
  assert.deepEqual(ownOf({ '/srv/up.log': [10] }, [4242]), [], 'a stale ready.json changes nothing');
});
