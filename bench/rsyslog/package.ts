import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { unpackedPackages } from '../debian/unpacked.ts';
import { BenchError } from '../errors.ts';

/** rsyslog from Debian's packages, unpacked beside the system: it cannot be installed where syslog-ng is. */
export type Rsyslog = { program: string; version: string; modules: string; env: NodeJS.ProcessEnv };

/** @throws BenchError `unavailable` */
export const rsyslog = (dir: string): Rsyslog => {
  const packages = ['rsyslog', 'rsyslog-openssl', 'rsyslog-gnutls', 'rsyslog-relp'];
  const { root, env, libraries } = unpackedPackages(dir, 'rsyslog', packages);
  const program = join(root, 'usr/sbin/rsyslogd');
  const { stdout, stderr, status } = spawnSync(program, ['-v'], { env, encoding: 'utf8' });
  const version = /^rsyslogd\s+(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
  if (status !== 0 || version === undefined)
    throw new BenchError(
      'unavailable',
      `${program} does not run: ${stderr?.trim() ?? ''}. Remove ${root} to unpack it again`,
    );
  return { program, version, modules: join(libraries, 'rsyslog'), env };
};
