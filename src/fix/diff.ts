import { spawnSync } from 'node:child_process';
import type { Edit } from '#advise';
import { FixError } from './errors.ts';
import { exists } from './candidate.ts';

/**
 * A unified diff of the file as it is and as it is to be, by diff(1), which every Debian has.
 * @throws FixError `could-not-look`
 */
export const diffOf = ({ path, text }: Edit): string => {
  const before = exists(path) ? path : '/dev/null';
  const { status, stdout, stderr, error } = spawnSync(
    'diff',
    ['--unified=2', `--label=${before}`, `--label=${path}`, before, '-'],
    { input: text, encoding: 'utf8' },
  );
  if (status === 0 || status === 1) return stdout;
  throw new FixError('could-not-look', `diff could not compare ${path}: ${error?.message ?? stderr.trim()}`);
};
