import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess, type Process } from '../run/process.ts';
import type { SyslogNg } from './package.ts';

/** @param dir for its own files */
export const startSyslogNg = (syslog: SyslogNg, config: string, dir: string): Process => {
  const path = join(dir, 'syslog-ng.conf');
  writeFileSync(path, config);
  return startProcess({
    name: 'syslog-ng',
    // It does not notice when the bench is gone: the kernel ends it then.
    file: 'setpriv',
    args: [
      '--pdeathsig', 'KILL', syslog.program, '--foreground', '--no-caps', ...syslog.args, '--cfgfile', path,
      '--persist-file', join(dir, 'persist'), '--control', join(dir, 'control'), '--pidfile', join(dir, 'pid'),
    ], // prettier-ignore
    env: syslog.env,
    output: 'none',
  });
};
