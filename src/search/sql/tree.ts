import { SearchError } from '../errors.ts';

/** A node of the engine's syntax tree. `name` is what stands behind the kind, alias and count of children left out. */
export type Node = { kind: string; name: string; children: Node[] };

/**
 * Reads the answer of EXPLAIN AST: one node per line, as CSV, indented by one space per level. A name in it cannot hold
 * a line feed (names.ts), and the engine escapes those in strings. The FORMAT that the client adds to every statement is
 * taken for part of the one explained; it is left out.
 */
export const parseTree = (lines: readonly string[]): Node => {
  const path: Node[] = [];
  for (const line of lines) {
    const [, indent = '', kind = '', rest = ''] = /^"( *)(\S+?)(?: (.*))?"$/.exec(line) ?? [];
    const name = rest
      .replaceAll('""', '"')
      .replace(/ ?\(children \d+\)$/, '')
      .replace(/ ?\(alias [^()]*\)$/, '');
    const node: Node = { kind, name, children: [] };
    const parent = path[indent.length - 1];
    const isRoot = path.length === 0 && indent === '';
    if (kind === '' || (parent === undefined && !isRoot))
      throw new SearchError('internal', `the engine's syntax tree cannot be read: ${line}`);
    parent?.children.push(node);
    path.length = indent.length;
    path.push(node);
  }
  const [root] = path;
  if (root === undefined) throw new SearchError('internal', 'the engine gave no syntax tree');
  const last = root.children.at(-1);
  if (last?.kind === 'Identifier' && last.name === 'RowBinary') root.children.pop();
  return root;
};
