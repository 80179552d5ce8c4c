import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chain, importGraph, reachable, roomOf, root, type ImportGraph } from './graph.ts';
import { mayImport, mustNotReach, typesOnly } from './rules.ts';

/** One broken rule, as it is shown. */
export type Violation = string;

/** Value imports from one room to another that the table does not allow. */
export const crossings = (graph: ImportGraph): Violation[] => {
  const found: Violation[] = [];
  for (const [module, imports] of graph) {
    const room = roomOf(module);
    if (room === null || room === 'processes') continue;
    for (const target of imports) {
      const other = roomOf(target);
      if (other === null || allows(room, other)) continue;
      found.push(
        `${module} imports ${target}: ${room} may import ${mayImport[tableRow(room)]?.join(', ') || 'only base'}`,
      );
    }
  }
  return found;
};

/** Inside the vault every door may use every other, except that the verifier has a row of its own. */
const tableRow = (room: string): string =>
  mayImport[room] === undefined ? (room.split('/')[0] ?? room) : room;

const allows = (room: string, other: string): boolean => {
  if (room === other) return true;
  const row = tableRow(room);
  const otherRoom = other.split('/')[0] ?? other;
  if (row === 'vault/verify') return (mayImport[row] ?? []).includes(other);
  if (otherRoom === 'base') return true;
  if (row === otherRoom) return true;
  if ((typesOnly[row] ?? []).includes(otherRoom)) return false;
  const allowed = mayImport[row] ?? [];
  return allowed.includes(otherRoom) || allowed.includes(other);
};

/** Chains of imports by which something gets at what it must not reach. */
export const forbiddenReach = (graph: ImportGraph, rules = mustNotReach): Violation[] => {
  const found: Violation[] = [];
  for (const { from, target, because } of rules) {
    const starts = [...graph.keys()].filter((module) => module === `src/${from}` || roomOf(module) === from);
    if (starts.length === 0) found.push(`the rule '${from} must not reach ${target}' matches no file`);
    for (const start of starts) {
      const via = reachable(graph, start);
      const hit = [...via.keys()].find((module) => matches(module, target));
      if (hit !== undefined) found.push(`${chain(via, start, hit).join(' → ')}: ${because}`);
    }
  }
  return found;
};

const matches = (module: string, target: string): boolean => {
  const room = roomOf(module);
  if (target === 'npm:*') return room === null && !module.startsWith('node:');
  return module === target || room === target || room?.split('/')[0] === target;
};

/** Everything that a module reaches by imports, one module a line. */
export const closure = (graph: ImportGraph, path: string): string => {
  const modules = [...reachable(graph, path).keys()].toSorted();
  return `${modules.join('\n')}\n`;
};

export const closureFile = (name: string): string =>
  join(root, 'tools', 'boundaries', 'closures', `${name}.txt`);

export const committedClosure = (name: string): string => {
  try {
    return readFileSync(closureFile(name), 'utf8');
  } catch {
    return '';
  }
};

/** Tests, and what only they use, may reach further: they hold rooms together to try them. */
const isForTests = (file: string): boolean => file.endsWith('.test.ts') || file.includes('/testing/');

/** The graph below everything in src/ that is not a test. */
export const sourceGraph = async (): Promise<ImportGraph> => {
  const modules = globSync('src/**/*.ts', { cwd: root }).filter((file) => !isForTests(file));
  return importGraph(modules);
};
