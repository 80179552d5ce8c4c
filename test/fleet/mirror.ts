import { execFileSync } from 'node:child_process';

/** An archive of packages as this machine itself uses it. */
export type Mirror = {
  url: string;
  /** What this machine's apt goes through, or `null`. */
  proxy: string | null;
};

const lines = (program: string, ...args: string[]): string[] =>
  execFileSync(program, args, { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');

/**
 * Where this machine gets Debian from, as its apt is set up: the archive of its own main suite, which has the others too.
 * Read when it is needed, and never written down.
 */
export const debianMirror = (): Mirror => {
  const targets = lines(
    'apt-get',
    'indextargets',
    'Created-By: Packages',
    'Component: main',
    '--format',
    '$(LABEL)|$(REPO_URI)',
  );
  const url = targets
    .map((line) => line.split('|'))
    .find(([label, uri]) => label === 'Debian' || /\/debian\/?$/.test(uri ?? ''))?.[1];
  if (url === undefined) throw new Error('the apt sources of this machine name no archive of Debian');
  const [proxy] = lines('apt-config', 'dump', '--format', '%v%n', 'Acquire::http::Proxy');
  return { url, proxy: proxy ?? null };
};
