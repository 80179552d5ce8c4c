import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { closure, committedClosure, crossings, forbiddenReach, sourceGraph } from './check.ts';
import { importGraph, root, type ImportGraph } from './graph.ts';
import { lintOverrides } from './lint-overrides.ts';
import { mayImport, mustNotReach, entryPoints } from './rules.ts';

let graph: ImportGraph;
let tree: string;

before(async () => {
  graph = await sourceGraph();
  tree = mkdtempSync(join(tmpdir(), 'holdfast-boundaries-'));
  for (const file of ['package.json', '.oxlintrc.json'])
    writeFileSync(join(tree, file), readFileSync(join(root, file)));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
});

after(() => rmSync(tree, { recursive: true, force: true }));

const plant = (file: string, text: string): void => {
  mkdirSync(dirname(join(tree, file)), { recursive: true });
  writeFileSync(join(tree, file), text);
};

test('no room imports what the table does not allow', () => {
  assert.deepEqual(crossings(graph), []);
});

test('no process reaches what it must not', () => {
  assert.deepEqual(forbiddenReach(graph), []);
});

for (const [name, path] of Object.entries(entryPoints)) {
  test(`the import closure of ${name} is the committed one (else: node tools/boundaries/write.ts, and review the diff)`, () => {
    assert.equal(closure(graph, path), committedClosure(name));
  });
}

test('the lint overrides are those of the table (else: node tools/boundaries/write.ts)', () => {
  const { overrides } = JSON.parse(readFileSync(join(root, '.oxlintrc.json'), 'utf8'));
  assert.deepEqual(overrides, JSON.parse(JSON.stringify(lintOverrides())));
});

const rooms = Object.keys(mayImport).filter((room) => !room.includes('/'));
/** Of a room with several, one that no other may use. */
const innerDoors: Readonly<Record<string, string>> = { vault: 'append', pki: 'issue' };
const doorOf = (room: string): string =>
  innerDoors[room] === undefined ? `src/${room}/index.ts` : `src/${room}/${innerDoors[room]}/index.ts`;

for (const room of rooms) {
  for (const other of rooms) {
    const allowed = mayImport[room]?.some((name) => name === other) ?? false;
    if (other === room || other === 'base' || allowed) continue;
    test(`a planted import of ${other} in ${room} is seen, by the graph and by the lint`, async () => {
      const file = `src/${room}/planted-${other}.ts`;
      plant(doorOf(other), 'export const door = 1;\n');
      const specifier = `${room === 'vault' ? '../' : '../'}${doorOf(other).slice('src/'.length)}`;
      plant(file, `import { door } from '${specifier}';\n\nexport const use = door;\n`);
      const planted = await importGraph([file], tree);
      assert.equal(crossings(planted).length, 1, 'the graph must show the crossing');
      assert.match(lint(file), new RegExp(`${room}[a-z/]* must not import ${other}`));
    });
  }
}

/** What oxlint says of a file in the planted tree. */
const lint = (file: string): string => {
  const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
  return spawnSync(process.execPath, [oxlint, '-c', join(tree, '.oxlintrc.json'), file], {
    cwd: tree,
    encoding: 'utf8',
  }).stdout;
};

for (const rule of mustNotReach) {
  test(`a planted chain from ${rule.from} to ${rule.target} is seen`, async () => {
    const start = rule.from.includes('.ts') ? `src/${rule.from}` : `src/${rule.from}/index.ts`;
    const isModule = /^(node:|npm:|@|chdb)/.test(rule.target);
    const door = rule.target.startsWith('vault/')
      ? `src/${rule.target}/index.ts`
      : `src/${rule.target}/index.ts`;
    if (!isModule) plant(door, 'export const door = 1;\n');
    const imported = !isModule ? join('..', '..', door) : rule.target === 'npm:*' ? 'zod' : rule.target;
    plant('src/base/step.ts', `import '${imported}';\n\nexport const step = 1;\n`);
    plant(
      start,
      `import '${start.split('/').length > 3 ? '../' : ''}../base/step.ts';\n\nexport const start = 1;\n`,
    );
    assert.equal(forbiddenReach(await importGraph([start], tree), [rule]).length, 1);
  });
}
