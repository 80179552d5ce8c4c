import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { environment } from '../up/environment.ts';

const everyMs = 6 * 60 * 60 * 1000;
const withinMs = 120_000;

/**
 * Renews this host's certificate when it is time, by `holdfast hosts renew`: a process of its own, so that this one, which
 * may be root's and runs on, speaks to nobody. Where the certificate was brought here by hand, whoever brought it does that.
 */
export const keepRenewed = (root: string, state: StateDirectory, log: OwnLog): { stop(): void } => {
  if (!existsSync(join(state.pki, 'enrolment.json'))) return { stop: () => undefined };
  const ended = new AbortController();
  const renew = async (): Promise<void> => {
    try {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          join(root, 'src', 'processes', 'holdfast.ts'),
          'hosts',
          'renew',
          '--state',
          state.root,
        ],
        { env: environment(state), timeout: withinMs, signal: ended.signal },
      );
      if (stdout.includes('is renewed')) log('info', stdout.trim());
    } catch (error) {
      if (!ended.signal.aborted)
        log(
          'error',
          `the certificate of this host could not be renewed, it is tried again: ${messageOf(error)}`,
        );
    }
  };
  void renew();
  const timer = setInterval(() => void renew(), everyMs);
  return {
    stop() {
      clearInterval(timer);
      ended.abort();
    },
  };
};
