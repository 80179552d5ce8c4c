import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './up.ts';

/** A fenced block of README.md or docs/: its language (`''` where none is given) and its lines. */
export type Block = { file: string; language: string; lines: readonly string[] };

export const documentedBlocks = (): Block[] =>
  ['README.md', ...globSync('docs/**/*.md', { cwd: root }).toSorted()].flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
      ([, language = '', body = '']) => ({ file, language, lines: body.trimEnd().split('\n') }),
    ),
  );

/** The command lines of `sh` blocks, without their comments. */
export const documentedCommands = (): { file: string; line: string }[] =>
  documentedBlocks()
    .filter(({ language }) => language === 'sh')
    .flatMap(({ file, lines }) =>
      lines.map((line) => ({ file, line: line.replace(/(^|\s+)#.*$/, '').trim() })),
    )
    .filter(({ line }) => line !== '');
