import { existsSync } from 'node:fs';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { CouldNotLook } from '#base/looked';
import type { OwnLog } from '#base/own-log';
import type { Deliverer } from './deliver.ts';
import { followJournal } from './journald/journal.ts';
import { findJournalctl, journalDirectories, journalFiles } from './journald/journalctl.ts';
import { followRing } from './kmsg/kmsg.ts';
import { openRing } from './kmsg/ring.ts';
import type { Source } from './source.ts';

export type HostLogOptions = {
  deliverer: Deliverer;
  journal: 'auto' | 'off';
  kernelRing: 'auto' | 'off';
  /** User ids whose SYSLOG_IDENTIFIER is believed, see journald/own.ts. */
  trusted: ReadonlySet<string>;
  host(): string;
  clock: Clock;
  log: OwnLog;
  couldNotLook(item: CouldNotLook): void;
  fail(error: unknown): void;
};

/** There while journald runs. It copies the kernel's ring into the journal. */
const journaldSocket = '/run/systemd/journal/socket';

/**
 * The journal where there is one, else the kernel's ring. A journal without a running journald (left by one that ran
 * before) is read, and the ring too: nothing copies the ring into it any more.
 */
export const hostLog = (
  options: HostLogOptions,
): {
  sources: ReadonlyMap<'journal' | 'kernel', Source>;
  lookAgain(): Promise<void>;
  stop(): Promise<void>;
} => {
  const sources = new Map<'journal' | 'kernel', Source>();

  const openJournal = (): void => {
    if (options.journal === 'off' || sources.has('journal')) return;
    const files = journalFiles(journalDirectories);
    for (const item of files.couldNotLook) options.couldNotLook(item);
    if (files.found.length === 0) return;
    const program = findJournalctl();
    if (program === null) {
      const why = 'there is no /usr/bin/journalctl';
      options.couldNotLook({
        what: 'the journal',
        why,
        remedy: 'install the systemd package that brings it',
      });
      return;
    }
    sources.set('journal', followJournal({ ...options, program, directory: null }));
  };

  const openKernel = (): void => {
    if (options.kernelRing === 'off' || sources.has('kernel')) return;
    try {
      sources.set('kernel', followRing({ ...options, ring: openRing() }));
    } catch (error) {
      const remedy = 'run as root or give the agent CAP_SYSLOG; in a container, read it on the host instead';
      options.couldNotLook({ what: 'the kernel log', why: messageOf(error), remedy });
    }
  };

  const choose = async (): Promise<void> => {
    openJournal();
    if (sources.has('journal') && existsSync(journaldSocket)) {
      await sources.get('kernel')?.stop();
      sources.delete('kernel');
    } else {
      openKernel();
    }
  };
  void choose();

  return {
    sources,
    lookAgain: choose,
    async stop() {
      await Promise.all([...sources.values()].map((source) => source.stop()));
    },
  };
};
