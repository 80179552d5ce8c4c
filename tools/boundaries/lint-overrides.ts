import { forbiddenSpecifiers, mayImport } from './rules.ts';

/** The `overrides` of .oxlintrc.json that enforce the table on what is written in the source, types included. */
export const lintOverrides = (): unknown[] => [
  ...Object.keys(mayImport).map((room) => ({
    files: [`src/${room}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: forbiddenSpecifiers(room) }] },
  })),
  // Tests, and what only they use, hold rooms together to try them.
  { files: ['src/**/*.test.ts', 'src/**/testing/**/*.ts'], rules: { 'no-restricted-imports': 'off' } },
];
