import { existsSync } from 'node:fs';
import { endpointOf, isLocalValue, placeOf, type Argv, type Check, type Edit, type Turn } from '#advise';
import { collectServices, type Listener, type ServicesReport, type UseBook } from '#inspect';
import type { Before } from './before.ts';
import { runOnCandidate } from './candidate.ts';
import { chooseDoor, isExposed, type Choice } from './choose.ts';
import { watchUse, type Use } from './clients.ts';
import { FixError } from './errors.ts';
import type { SourcedEdit } from './files.ts';
import { withKept } from './kept-use.ts';
import type { InstalledPackage } from './removal.ts';
import { lockoutOf, removalRisks, risksOf, type Risk } from './risks.ts';
import { run } from './run.ts';
import type { FixStep } from './steps.ts';
import { doorsIn, textOf, touchedBy, turnFor } from './turn.ts';
import { udpUse } from './udp-use.ts';
import { statesOf } from './unit-states.ts';

/** Where one protocol and port of the daemon is open now. */
export type OpenDoor = {
  protocol: 'tcp' | 'udp';
  address: string;
  port: number;
  /** Of `::`: whether it takes IPv6 alone; `null` where it is not known, and of other addresses. */
  v6only: boolean | null;
};

/** What is wanted of a door. */
export type Wish = {
  /** As for chooseDoor. */
  wanted: string;
  step: FixStep;
  /** `firewalled`: networks that are let in. */
  allow: readonly string[];
  /** How long to watch who uses the door. */
  watchMs: number;
  /** Who was seen before, where somebody watches all the time. */
  noted: UseBook | null;
};

/** Everything that a fix would do, before any of it is done. JSON, as it stands in a journal. */
export type Plan = {
  /** `mariadb.service` */
  unit: string;
  /** `MariaDB` */
  service: string;
  /** `tcp [::]:3306` */
  title: string;
  doors: OpenDoor[];
  edits: SourcedEdit[];
  /** What is removed. */
  packages: InstalledPackage[];
  /** Active units that systemd stops, or restarts, along with the daemon's. */
  along: string[];
  checks: Check[];
  /** Commands that make the new files take effect. */
  apply: Argv[];
  /** Commands of an undo: before the old files are put back, and after. */
  release: Argv[];
  revert: Argv[];
  /** How it is now; none in journals of older versions. */
  before?: Before;
  step: FixStep;
  /** What is not to be open afterwards even to this host: `udp 138`. */
  closes: string[];
  /** The listen address as the daemon reads it, before and after. */
  effective: { command: string; before: string | null; after: string | null } | null;
  risks: Risk[];
  cautions: string[];
  use: Use;
  /** What stops to be reachable may be how the operator comes in, or keeps the host on the network. */
  losesLogin: boolean;
};

/** A plan with what it was made from. */
export type Planned = { plan: Plan; choice: Choice; report: ServicesReport };

/**
 * Looks at the host and says what a fix would do. Changes nothing: checks run in a mount namespace.
 * @throws FixError `could-not-look`, `no-such-door`, `ambiguous-door`, `no-knob`
 */
export const makePlan = async ({ wanted, step, allow, watchMs, noted }: Wish): Promise<Planned> => {
  if (process.geteuid?.() !== 0)
    throw new FixError(
      'could-not-look',
      'who holds a door, and its configuration, only root can see: run it as root',
    );
  const report = await collectServices();
  if (report.init !== 'systemd')
    throw new FixError(
      'could-not-look',
      'services are restarted through systemd, which does not run here: holdfast audit says what to do by hand',
    );
  const choice = chooseDoor(report, wanted);
  const service = choice.door.known?.name ?? choice.unit;
  const turn = await turnFor(step, choice, service, allow);
  const doors = doorsIn(choice);
  const ports = new Set(doors.map(({ port }) => port));
  const watched = await watchUse(ports, watchMs);
  const udp = await udpUse(choice.listeners);
  const use = withKept({ ...watched, ...udp, clients: [...watched.clients, ...udp.clients] }, noted, ports);
  const lockout = lockoutOf(reachedBy(step, choice, report));
  const conffiles = await conffilesAmong(turn.edits);
  return {
    choice,
    report,
    plan: {
      unit: choice.unit,
      service,
      title: doors.length === 1 ? endpointOf(choice.door.lead) : placeOf(choice.listeners),
      doors,
      edits: turn.edits,
      packages: turn.packages,
      along: turn.along,
      checks: [...turn.checks],
      step,
      apply: [...turn.apply],
      release: [...(turn.release ?? [])],
      revert: [...(turn.revert ?? turn.apply)],
      before: { units: await statesOf(touchedBy(turn, choice)), alternatives: turn.alternatives },
      closes:
        turn.closes === 'all'
          ? doors.map(({ protocol, port }) => `${protocol} ${port}`)
          : [...(turn.closes ?? [])],
      effective: await effectiveOf(turn),
      risks: [
        ...removalRisks(turn.others),
        ...risksOf(turn, use, (path) => conffiles.has(path), textOf, step, allow, lockout),
      ],
      cautions: [...turn.cautions],
      use,
      losesLogin: lockout !== null,
    },
  };
};

/** Whose doors a step shuts: a firewall asks for the port alone, whoever has it at another address. */
const reachedBy = (step: FixStep, { listeners }: Choice, report: ServicesReport): readonly Listener[] =>
  step === 'firewalled'
    ? report.listeners.filter(
        (one) =>
          isExposed(one) &&
          listeners.some(({ protocol, port }) => one.protocol === protocol && one.port === port),
      )
    : listeners;

/** Asked of the daemon's own reading of its files, as they are and as they are to be: confined both times. */
const effectiveOf = async ({ effective, edits }: Turn): Promise<Plan['effective']> => {
  if (effective === null) return null;
  const { argv, value } = effective;
  const [now, then] = await Promise.all([runOnCandidate([], argv), runOnCandidate(edits, argv)]);
  return {
    command: argv.join(' '),
    before: now.status === 0 ? value(now.stdout) : null,
    after: then.status === 0 ? value(then.stdout) : null,
  };
};

/** Why the change would have no effect; `null` where it has, or where the daemon cannot be asked. */
export const overridden = ({ effective }: Plan): string | null =>
  effective === null || effective.after === null || isLocalValue(effective.after)
    ? null
    : `the daemon would still listen on ${effective.after}: something read later, or its command line, sets that ('${effective.command}')`;

/** Files that dpkg knows as a package's configuration. */
const conffilesAmong = async (edits: readonly Edit[]): Promise<Set<string>> => {
  const there = edits.filter(({ path }) => existsSync(path));
  if (there.length === 0) return new Set();
  const { stdout } = await run(['dpkg-query', '--show', '--showformat=${Conffiles}\n']);
  const known = new Set(stdout.split('\n').flatMap((line) => line.trim().split(' ')[0] ?? []));
  return new Set(there.map(({ path }) => path).filter((path) => known.has(path)));
};
