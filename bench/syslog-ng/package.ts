import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
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

const packageName = 'syslog-ng-core';

/**
 * Downloads the package and the libraries that this system lacks, and unpacks them below `dir`; does so once.
 * @param modulePackages packages of its modules that are wanted too
 * @throws BenchError `unavailable`
 */
export const syslogNg = (dir: string, modulePackages: readonly string[] = []): SyslogNg => {
  const root = join(dir, ['syslog-ng', ...modulePackages].join('+'));
  if (!existsSync(root)) unpack(dir, root, [packageName, ...modulePackages]);
  const libraries = join(root, 'usr/lib/syslog-ng');
  const multiarch = readdirSync(join(root, 'usr/lib')).filter((name) => name.includes('-linux-'));
  const modules = readdirSync(libraries).find((name) => /^\d/.test(name)) ?? '';
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: [
      libraries,
      ...multiarch.flatMap((name) => [join(root, 'usr/lib', name), join(root, 'lib', name)]),
    ].join(':'),
  };
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

const unpack = (dir: string, root: string, packages: readonly string[]): void => {
  const partial = `${root}.${process.pid}`;
  const downloads = join(partial, 'packages');
  try {
    mkdirSync(downloads, { recursive: true });
    run('apt-get', ['-q', 'download', ...missingPackages(packages)], downloads);
    for (const file of readdirSync(downloads)) run('dpkg', ['-x', join(downloads, file), partial], dir);
    rmSync(downloads, { recursive: true });
    renameSync(partial, root);
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    throw new BenchError(
      'unavailable',
      `${packageName} could not be had from this system's package archives: ${messageOf(cause).trim().replaceAll('\n', '; ')}. ` +
        'It needs apt (Debian, Ubuntu), a reachable archive and fresh lists (apt-get update)',
      { cause },
    );
  }
};

/** The packages, and what apt would install along with it on this system. Nothing is installed: this is a simulation. */
const missingPackages = (packages: readonly string[]): string[] => {
  const text = run('apt-get', ['-s', '-q', '--no-install-recommends', 'install', ...packages], '/');
  const wanted = [...text.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  return [...new Set([...packages, ...wanted])];
};

const run = (file: string, args: readonly string[], cwd: string): string =>
  execFileSync(file, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
