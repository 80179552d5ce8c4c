import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { closure, closureFile, sourceGraph } from './check.ts';
import { root } from './graph.ts';
import { lintOverrides } from './lint-overrides.ts';
import { entryPoints } from './rules.ts';

/** `node tools/boundaries/write.ts`: writes the closures and the lint's overrides anew, for review in the diff. */
const graph = await sourceGraph();
for (const [name, path] of Object.entries(entryPoints)) {
  mkdirSync(dirname(closureFile(name)), { recursive: true });
  writeFileSync(closureFile(name), closure(graph, path));
}
const lintFile = join(root, '.oxlintrc.json');
const lint = JSON.parse(readFileSync(lintFile, 'utf8'));
lint.overrides = lintOverrides();
writeFileSync(lintFile, `${JSON.stringify(lint, null, 2)}\n`);
