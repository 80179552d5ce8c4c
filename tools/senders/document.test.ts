import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { snippets } from '../../src/cli/hosts/snippets/index.ts';
import { documentFile, renderDocument, rowsOf } from './document.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, documentFile), 'utf8');

test('docs/senders.md is what the snippets say', () => {
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', '.bin', 'prettier'), '--stdin-filepath', documentFile],
    { cwd: root, encoding: 'utf8', input: renderDocument(rowsOf(page)) },
  );
  assert.equal(stdout, page, 'run node tools/senders/write.ts, then prettier');
});

test('its table has one row for each way of each snippet, in their order', () => {
  const expected = snippets.flatMap(({ name, ways }) => Object.keys(ways).map((way) => `${name} ${way}`));
  assert.deepEqual(
    rowsOf(page).map(({ sender, way }) => `${sender} ${way}`),
    expected,
    'run the tests of test/senders, then node tools/senders/write.ts',
  );
});
