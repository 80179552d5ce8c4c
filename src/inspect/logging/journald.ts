import { readdirSync } from 'node:fs';
import type { CouldNotLook } from '#base/looked';
import { systemCode } from '#base/errors';
import { textOf } from '../host.ts';
import { namesIn, statIfThere } from '../patches/host-files.ts';
import { fromMilliseconds } from '../patches/times.ts';
import { runs, type OpenFiles } from './open-files.ts';

/** The journal as it is kept, and as it is configured (journald.conf(5)). */
export type JournalState = {
  /** `null` = could not look: not all processes may be seen. */
  running: boolean | null;
  /** `Storage=`; `auto` is the default. */
  storage: string;
  /** Where entries are kept now; `null` = no journal is kept, or it may not be seen. */
  kept: 'persistent' | 'volatile' | null;
  /** Newest change of a journal file; RFC 3339. */
  newest: string | null;
  systemMaxUse: string | null;
  /** Entries per service and interval; what is beyond is dropped. Defaults are journald's: 10000 in 30s. */
  rateLimit: { interval: string; burst: string };
  forwardToSyslog: boolean;
};

/** Reads journald.conf and its drop-ins in the order of systemd, and looks at the journal's directories. */
export const examineJournal = (
  root: string,
  open: OpenFiles,
): { journal: JournalState; couldNotLook: CouldNotLook[] } => {
  const settings = journaldSettings(root);
  const storage = settings.get('Storage') ?? 'auto';
  const running = runs(open, /^systemd-journald?$/);
  const couldNotLook: CouldNotLook[] = [];
  const newestIn = (directory: string): number | null => {
    try {
      const times = readdirSync(directory, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.journal'))
        .flatMap((name) => statIfThere(`${directory}/${name}`)?.mtimeMs ?? []);
      return times.length === 0 ? null : Math.max(...times);
    } catch (error) {
      if (systemCode(error) === 'EACCES') {
        couldNotLook.push({
          what: `journal files in ${directory}`,
          why: 'the directory may not be read',
          remedy: 'run as root, or as a member of group systemd-journal',
        });
      }
      return null;
    }
  };
  const persistent = newestIn(`${root}/var/log/journal`);
  const volatile = newestIn(`${root}/run/log/journal`);
  const newest = Math.max(persistent ?? 0, volatile ?? 0);
  return {
    journal: {
      running,
      storage,
      kept: keptWhere(running, storage, persistent, volatile),
      newest: newest === 0 ? null : fromMilliseconds(newest),
      systemMaxUse: settings.get('SystemMaxUse') ?? null,
      rateLimit: {
        interval: settings.get('RateLimitIntervalSec') ?? '30s',
        burst: settings.get('RateLimitBurst') ?? '10000',
      },
      forwardToSyslog: settings.get('ForwardToSyslog') === 'yes',
    },
    couldNotLook,
  };
};

/** The files that were written last tell, not the directory that exists: it may be empty or of an earlier time. */
const keptWhere = (
  running: boolean | null,
  storage: string,
  persistent: number | null,
  volatile: number | null,
): JournalState['kept'] => {
  if (running !== true || storage === 'none') return null;
  if (persistent === null && volatile === null) return null;
  return (persistent ?? 0) >= (volatile ?? 0) ? 'persistent' : 'volatile';
};

const directories = ['/usr/lib/systemd', '/usr/local/lib/systemd', '/run/systemd', '/etc/systemd'];

const journaldSettings = (root: string): Map<string, string> => {
  const dropIns = new Map<string, string>();
  for (const directory of directories) {
    for (const name of namesIn(`${root}${directory}/journald.conf.d`)) {
      if (name.endsWith('.conf')) dropIns.set(name, `${root}${directory}/journald.conf.d/${name}`);
    }
  }
  const main = directories
    .toReversed()
    .map((directory) => `${root}${directory}/journald.conf`)
    .find((path) => statIfThere(path) !== null);
  const files = [
    ...(main === undefined ? [] : [main]),
    ...[...dropIns.keys()].toSorted().map((name) => dropIns.get(name) ?? ''),
  ];
  const settings = new Map<string, string>();
  for (const file of files) {
    for (const [, key = '', value = ''] of (textOf(file) ?? '').matchAll(
      /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/gm,
    )) {
      if (value === '') settings.delete(key);
      else settings.set(key, value);
    }
  }
  return settings;
};
