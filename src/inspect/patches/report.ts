import type { CouldNotLook, Looked } from '#base/looked';
import type { InitSystem } from '../host.ts';
import type { ListsAge } from './archive-lists.ts';
import type { Automatic } from './automatic.ts';
import type { DistributionSupport } from './distribution.ts';
import type { KernelReport } from './kernel.ts';
import type { SourceEntry } from './sources.ts';
import type { StaleProgram } from './stale-programs.ts';

/** Why `apt-get upgrade` leaves a package as it is. */
export type KeptBack = {
  reason:
    | 'hold' // dpkg was told to leave it
    | 'pin' // apt preferences weigh the newer version down
    | 'phasing' // Ubuntu has not offered it to this host yet
    | 'needs changes' // only together with packages that are new or go
    | 'related' // something that it needs is itself kept back
    | 'refused' // apt could not plan anything, e.g. broken dependencies
    | 'unexplained';
  /** One line for people, with names. */
  detail: string;
  /** `needs changes`: packages that would come, and that would go. */
  installs: string[];
  removes: string[];
};

/** A package of which the lists know a newer version. */
export type PendingUpgrade = {
  /** As apt names it: `libssl3`, `libc6:i386`. */
  package: string;
  installed: string;
  /** The version it would get; for `pin`, the newest that is held off. */
  candidate: string;
  /** Some version after the installed one, up to the candidate, came from a security archive. */
  security: boolean;
  /** Those versions, newest first. */
  securityVersions: string[];
  /** `uri suite` of each archive that carries the candidate. */
  archives: string[];
  /**
   * The oldest missing version (security version, if there is one) was public at this time at the latest: the date of
   * an archive that carries it. RFC 3339; `null` where no list tells.
   */
  publicBy: string | null;
  keptBack: KeptBack | null;
};

/** A package that dpkg left in the middle of something. */
export type UnfinishedPackage = { package: string; state: string; version: string };

/** Whether the host waits for a reboot; `null` = cannot be told from here. */
export type Reboot = { required: boolean | null; reasons: string[] };

/** Section `patches` of the audit. Times are RFC 3339 UTC. */
export type PatchesReport = {
  time: string;
  /** PRETTY_NAME of os-release; `null` where there is none. */
  system: string | null;
  packageManager: 'dpkg' | 'other';
  /** `clean`: as of `lists.refreshed`, nothing newer exists. */
  upgrades: Looked<PendingUpgrade[]>;
  lists: ListsAge | null;
  sources: SourceEntry[];
  distribution: DistributionSupport | null;
  kernel: KernelReport;
  /** What restarts services and reboots the host. */
  init: InitSystem;
  reboot: Reboot;
  /** Programs that run on files which are gone or were replaced since they started. */
  stalePrograms: Looked<StaleProgram[]>;
  packages: {
    installed: number;
    held: string[];
    unfinished: UnfinishedPackage[];
    /** dpkg was interrupted: `/var/lib/dpkg/updates` is not empty. */
    interrupted: boolean;
  } | null;
  automatic: Automatic | null;
  /** When dpkg last upgraded a package; `null` where the logs do not tell. */
  lastUpgrade: string | null;
  /** How the apt simulations were had. */
  simulation: { cached: boolean; milliseconds: number } | null;
  milliseconds: number;
  /** All of them, those of the parts included. */
  couldNotLook: CouldNotLook[];
};
