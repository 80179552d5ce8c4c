import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './up.ts';

/** A fenced block of README.md or docs/: its language (`''` where none is given), its lines, the `##` heading above it. */
export type Block = { file: string; language: string; lines: readonly string[]; section: string };

export const documentedBlocks = (): Block[] =>
  ['README.md', ...globSync('docs/**/*.md', { cwd: root }).toSorted()].flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split(/^(?=## )/m)
      .flatMap((part) => {
        const section = /^## (.*)/.exec(part)?.[1] ?? '';
        return [...part.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', body = '']) => ({
          file,
          language,
          lines: body.trimEnd().split('\n'),
          section,
        }));
      }),
  );

/** The command lines of `sh` blocks, without their comments. */
export const documentedCommands = (): { file: string; line: string; section: string }[] =>
  documentedBlocks()
    .filter(({ language }) => language === 'sh')
    .flatMap(({ file, lines, section }) =>
      lines.map((line) => ({ file, section, line: line.replace(/(^|\s+)#.*$/, '').trim() })),
    )
    .filter(({ line }) => line !== '');
