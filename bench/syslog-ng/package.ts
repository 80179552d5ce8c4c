import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { unpackedPackages } from '../debian/unpacked.ts';
import { BenchError } from '../errors.ts';

/** syslog-ng from Debian's packages, unpacked beside the system: it cannot be installed where rsyslog is. */
export type SyslogNg = {
  program: string;
  version: string;
  /** What its files lie below, instead of `/`. */
  root: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
};

/**
 * @param modulePackages packages of its modules that are wanted too
 * @throws BenchError `unavailable`
 */
export const syslogNg = (dir: string, modulePackages: readonly string[] = []): SyslogNg => {
  const { root, env } = unpackedPackages(
    dir,
    ['syslog-ng', ...modulePackages].join('+'),
    ['syslog-ng-core', ...modulePackages],
    ['usr/lib/syslog-ng'],
  );
  const libraries = join(root, 'usr/lib/syslog-ng');
  const modules = readdirSync(libraries).find((name) => /^\d/.test(name)) ?? '';
  const program = join(root, 'usr/sbin/syslog-ng');
  const { stdout, stderr, status } = spawnSync(program, ['--version'], { env, encoding: 'utf8' });
  const version = /\((\d+\.\d+\.\d+)\)/.exec(stdout ?? '')?.[1];
  if (status !== 0 || version === undefined)
    throw new BenchError(
      'unavailable',
      `${program} does not run: ${stderr?.trim() ?? ''}. Remove ${root} to unpack it again`,
    );
  return { program, version, root, args: [`--module-path=${join(libraries, modules)}`], env };
};
