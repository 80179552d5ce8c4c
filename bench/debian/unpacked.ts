import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import { BenchError } from '../errors.ts';

/** Debian packages unpacked beside the system: some of them cannot be installed where others are. */
export type Unpacked = {
  root: string;
  /** With the libraries that this system lacks where the loader finds them. */
  env: NodeJS.ProcessEnv;
  /** The directory of the packages' libraries of this machine's architecture, `usr/lib/<multiarch>` below `root`. */
  libraries: string;
};

/**
 * Downloads the packages and the libraries that this system lacks, and unpacks them below `dir/name`; does so once.
 * @param own directories with libraries of the packages' own, below `root`
 * @throws BenchError `unavailable`
 */
export const unpackedPackages = (
  dir: string,
  name: string,
  packages: readonly string[],
  own: readonly string[] = [],
): Unpacked => {
  const root = join(dir, name);
  if (!existsSync(root)) unpack(dir, root, packages);
  const lib = join(root, 'usr/lib');
  const multiarch = (existsSync(lib) ? readdirSync(lib) : []).filter((entry) => entry.includes('-linux-'));
  const found = [
    ...own.map((path) => join(root, path)),
    ...multiarch.flatMap((entry) => [join(root, 'usr/lib', entry), join(root, 'lib', entry)]),
  ];
  return {
    root,
    env: { ...process.env, LD_LIBRARY_PATH: found.join(':') },
    libraries: join(lib, multiarch[0] ?? ''),
  };
};

const unpack = (dir: string, root: string, packages: readonly string[]): void => {
  const partial = `${root}.${process.pid}`;
  const downloads = join(partial, 'packages');
  try {
    mkdirSync(downloads, { recursive: true });
    run('apt-get', ['-q', 'download', ...withMissing(packages)], downloads);
    for (const file of readdirSync(downloads)) run('dpkg', ['-x', join(downloads, file), partial], dir);
    rmSync(downloads, { recursive: true });
    renameSync(partial, root);
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    throw new BenchError(
      'unavailable',
      `${packages.join(', ')} could not be had from this system's package archives: ` +
        `${messageOf(cause).trim().replaceAll('\n', '; ')}. ` +
        'It needs apt (Debian, Ubuntu), a reachable archive and fresh lists (apt-get update)',
      { cause },
    );
  }
};

/** They, and what apt would install along with them on this system. Nothing is installed: this is a simulation. */
const withMissing = (packages: readonly string[]): string[] => {
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
