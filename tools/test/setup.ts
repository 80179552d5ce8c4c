import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const installed = (name: string): boolean => {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return stdout === 'installed';
};

/**
 * Installs the Debian packages that suites need and that are missing. Only root can; anybody else is told, and the
 * tests that need them are reported as skipped.
 * @returns what could not be installed and why, or `null`
 */
export const installPackages = (names: readonly string[], say: (text: string) => void): string | null => {
  const missing = [...new Set(names)].filter((name) => !installed(name));
  if (missing.length === 0) return null;
  if (process.getuid?.() !== 0) return `not root, so these packages were not installed: ${missing.join(' ')}`;
  say(`Installing Debian packages for the tests: ${missing.join(' ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (args: string[]) =>
    spawnSync('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], { env, encoding: 'utf8' });
  const update = apt(['update']);
  if (update.status !== 0) return `apt-get update failed: ${update.stderr.trim()}`;
  const install = apt(['install', '-y', '--no-install-recommends', ...missing]);
  return install.status === 0
    ? null
    : `apt-get install ${missing.join(' ')} failed: ${install.stderr.trim()}`;
};

/**
 * Installs what a directory's own package-lock.json names: programs that a test needs and the project does not.
 * @returns why that could not be, or `null`
 */
export const installTool = (directory: string, say: (text: string) => void): string | null => {
  if (existsSync(join(directory, 'node_modules', '.package-lock.json'))) return null;
  say(`Installing ${directory} for the tests …`);
  const { status, stderr } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: directory,
    encoding: 'utf8',
  });
  return status === 0 ? null : `npm ci in ${directory} failed: ${stderr.trim()}`;
};
