import { existsSync, rmSync } from 'node:fs';
import type { Argv } from '#advise';
import { FixError } from './errors.ts';
import { syncDirectory } from '#vault/durable';
import { writePlainFile } from './files.ts';
import { lastWord, run } from './run.ts';

/**
 * What undoes a fix where the process that made it no longer can: a service that systemd starts at the next boot, and a
 * transient timer that starts the same service after a while. Both are gone when the fix is done.
 */
export type Guard = {
  /** Durable when it returns. Again with another time where it is armed. @throws FixError `could-not-look`, where systemd does not take it */
  arm(seconds: number): Promise<void>;
  disarm(): Promise<void>;
};

const directory = '/etc/systemd/system';

/** @param undo the whole command that undoes this fix */
export const guardOf = (id: string, undo: Argv): Guard => {
  const name = `holdfast-undo-${id}`;
  const file = `${directory}/${name}.service`;
  const timer = `${name}-after`;
  return {
    async arm(seconds) {
      writePlainFile(file, serviceText(id, undo));
      await must(['systemctl', 'daemon-reload']);
      await must(['systemctl', 'enable', '--quiet', `${name}.service`]);
      syncDirectory(`${directory}/multi-user.target.wants`);
      syncDirectory(directory);
      // A timer that waits already is for another time, and a service that it has started waits for the lock.
      await run(['systemctl', 'stop', `${timer}.timer`, `${name}.service`]);
      await must([
        'systemd-run',
        '--quiet',
        `--unit=${timer}`,
        `--on-active=${seconds}`,
        '--timer-property=AccuracySec=1s',
        'systemctl',
        'start',
        '--no-block',
        `${name}.service`,
      ]);
    },
    async disarm() {
      await run(['systemctl', 'stop', `${timer}.timer`]);
      if (!existsSync(file)) return;
      await run(['systemctl', 'disable', '--quiet', `${name}.service`]);
      rmSync(file, { force: true });
      await run(['systemctl', 'daemon-reload']);
    },
  };
};

const serviceText = (id: string, undo: Argv): string => `[Unit]
Description=Undo the fix ${id} of Holdfast, which was not finished
After=local-fs.target
StartLimitIntervalSec=0

[Service]
# It waits and tries again by itself; the boot does not wait for it.
Type=exec
Restart=on-failure
RestartSec=10
# It is undone, and something is not as it was; or the fix is gone: once more would not help.
RestartPreventExitStatus=1 2
ExecStart=${undo.map((word) => `"${word.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`).join(' ')}

[Install]
WantedBy=multi-user.target
`;

const must = async (argv: Argv): Promise<void> => {
  const outcome = await run(argv);
  if (outcome.status !== 0)
    throw new FixError(
      'could-not-look',
      `nothing would undo the fix by itself: '${argv.join(' ')}' said: ${lastWord(outcome)}`,
    );
};
