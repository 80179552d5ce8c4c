import { existsSync, readFileSync } from 'node:fs';
import { cannotTurn, knobOf, narrowed, socketKnob, type Narrowing, type Turn } from '#advise';
import { stoppedAlong } from './along.ts';
import type { Alternative } from './alternatives.ts';
import type { Choice } from './choose.ts';
import { FixError } from './errors.ts';
import { factsFor } from './facts.ts';
import { sourced, type SourcedEdit } from './files.ts';
import type { OpenDoor } from './plan.ts';
import { removed, type InstalledPackage } from './removal.ts';
import type { FixStep } from './steps.ts';
import { stopped } from './stopped.ts';
import { unitsNamed } from './unit-states.ts';

/** A turn with what it was made from, and what becomes of units and packages. */
export type SourcedTurn = Omit<Turn, 'edits'> & {
  edits: SourcedEdit[];
  packages: InstalledPackage[];
  /** Of the packages, those that were not meant. */
  others: string[];
  /** As in a plan. */
  along: string[];
  /** Units that may start at boot otherwise afterwards, beside those that its commands name. */
  touched: string[];
  /** Of packages that are removed. */
  alternatives: Alternative[];
};

const withSources = (turn: Turn, read: ReadonlyMap<string, string>): SourcedTurn => ({
  ...turn,
  edits: sourced(turn.edits, read),
  packages: [],
  others: [],
  along: [],
  touched: [],
  alternatives: [],
});

/** How a step is taken. @throws FixError `no-knob`, `could-not-look` */
export const turnFor = async (
  step: FixStep,
  choice: Choice,
  service: string,
  allow: readonly string[],
): Promise<SourcedTurn> => {
  switch (step) {
    case 'do not run': {
      refuseForwarder(choice);
      const { turn, ...units } = await stopped(choice.unit);
      return { ...withSources(turn, new Map()), ...units };
    }
    case 'do not install': {
      refuseForwarder(choice);
      const { turn, ...removal } = await removed(choice);
      return { ...withSources(turn, new Map()), ...removal };
    }
    case 'firewalled':
      return withSources(
        newlyNarrowed({
          name: choice.unit.replace(/\.\w+$/, '').replaceAll(/[^\w-]/g, '-'),
          doors: doorsIn(choice),
          allow,
        }),
        new Map(),
      );
    case 'local only':
      return madeLocal(choice, service);
  }
};

/** Units that may start at boot otherwise afterwards. */
export const touchedBy = ({ apply, release, revert, touched }: SourcedTurn, { unit }: Choice): string[] => [
  ...new Set([unit, ...touched, ...unitsNamed([...apply, ...(release ?? []), ...(revert ?? [])])]),
];

/** A second one would be of the same name: systemd would not load its rules, and its undo would take away the first. */
const newlyNarrowed = (narrowing: Narrowing): Turn => {
  const turn = narrowed(narrowing);
  const there = turn.edits.map(({ path }) => path).filter(existsSync);
  if (there.length > 0)
    throw new FixError(
      'no-knob',
      `a firewall fix of ${narrowing.name} stands already (${there.join(', ')}): undo that one first (holdfast services undo), then make it anew with every --allow that is wanted`,
    );
  return turn;
};

/** @throws FixError `no-knob` where others would go down with it */
const refuseForwarder = ({ listeners, unit }: Choice): void => {
  const forwarder = listeners.find(({ holder }) => holder === 'forwarder');
  if (forwarder !== undefined)
    throw new FixError(
      'no-knob',
      `${unit} only forwards this door${forwarder.forwardsTo === null ? '' : ` to ${forwarder.forwardsTo}`}, and other things may run in it: stop what it forwards to, or do not publish the port`,
    );
};

const madeLocal = async (choice: Choice, service: string): Promise<SourcedTurn> => {
  const knob = choice.unit.endsWith('.socket')
    ? socketKnob(choice.unit, choice.door.lead.activates)
    : knobOf(service);
  if (knob === null)
    throw new FixError(
      'no-knob',
      `how ${service} is told to listen on this host alone is not known well enough to do it for you: holdfast audit says what is known`,
    );
  const facts = await factsFor(knob, choice);
  const turn = knob.turn(facts);
  if (cannotTurn(turn)) throw new FixError('no-knob', `${turn.why}: ${turn.remedy}`);
  const edits = turn.edits.filter(({ path, text }) => textOf(path) !== text);
  if (edits.length === 0)
    throw new FixError(
      'no-knob',
      `${service} is configured for this host alone already, and yet it is open to others: restart ${choice.unit}, or look for the address on its command line`,
    );
  // Where a unit is stopped and started to read its files anew, systemd starts none of these again.
  const along = await stoppedAlong([choice.unit]);
  const again = along.length === 0 ? [] : [['systemctl', 'start', '--', ...along]];
  const apply = [...turn.apply, ...again];
  const revert = [...(turn.revert ?? turn.apply), ...again];
  return { ...withSources({ ...turn, edits, apply, revert }, facts.files), along };
};

export const doorsIn = ({ listeners }: Choice): OpenDoor[] =>
  listeners.flatMap(({ protocol, address, port, v6only }) =>
    (protocol === 'tcp' || protocol === 'udp') && port !== null ? [{ protocol, address, port, v6only }] : [],
  );

/** `null` where it cannot be read. */
export const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};
