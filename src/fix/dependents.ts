import { setTimeout as sleep } from 'node:timers/promises';
import { clientKey, watchUse, type Client, type Use } from './clients.ts';
import { healthOf, settledHealthOf, worse, type Health } from './health.ts';
import type { Plan } from './plan.ts';
import { packageOf } from './removal.ts';
import { lastWord, run } from './run.ts';
import { takesAway } from './steps.ts';

/** Programs of this host that held a connection all the time are expected to hold one again. */
export const steadyClients = ({ clients, looks }: Use): Client[] =>
  clients.filter(({ local, seen }) => local && seen > 0 && seen >= looks * 0.8);

/**
 * Units whose health is compared: the daemon's, those that systemd restarts along with it, and those of every local
 * program that was seen to use it; without those that are to go.
 */
export const unitsToWatch = async ({
  unit,
  use,
  step,
  packages,
  along,
}: Pick<Plan, 'unit' | 'use' | 'step' | 'packages' | 'along'>): Promise<string[]> => {
  const users = use.clients.flatMap((client) =>
    client.unit?.endsWith('.service') === true && client.unit !== unit ? [client.unit] : [],
  );
  const units = takesAway(step)
    ? [...new Set(users)].filter((one) => !along.includes(one))
    : [...new Set([unit, ...along, ...users])];
  if (packages.length === 0) return units;
  const owners = await Promise.all(units.map(async (one) => packageOf({ unit: one })));
  return units.filter((_, n) => !packages.some(({ name }) => name === owners[n]));
};

/**
 * How long clients are waited for, units are looked at first (the least and the most), and all of them are watched from
 * the restart on.
 */
type Patience = { backMs: number; noticedMs: number; settledMs: number; watchMs: number };

/** Who asks every few seconds notices no sooner that nobody answers. */
const usual: Omit<Patience, 'watchMs'> = { backMs: 20_000, noticedMs: 10_000, settledMs: 30_000 };

/** After half a minute without an answer most clients give up, and most health checks have looked once. */
const leastWatchMs = 30_000;

/**
 * How long to watch afterwards unless the operator says: as long as before, because who came within that time comes
 * again within it; not at all where nobody but the daemon is known to be looked after.
 */
export const usualWatchMs = ({ unit, use }: Pick<Plan, 'unit' | 'use'>, { states }: Health): number =>
  [...states.keys()].some((one) => one !== unit) ? Math.max(leastWatchMs, Math.round(use.milliseconds)) : 0;

/**
 * Whether all that used the door still can: those that were connected are again, units are as healthy as before, and the
 * operator's own check passes. Ends as soon as something is worse.
 * @returns what is worse, a sentence each
 */
export const whatBroke = async (
  plan: Pick<Plan, 'unit' | 'use' | 'doors' | 'step'>,
  before: Health,
  check: string | null,
  patience: Pick<Patience, 'watchMs'> & Partial<Patience>,
): Promise<string[]> => {
  const { backMs, noticedMs, settledMs, watchMs } = { ...usual, ...patience };
  const until = performance.now() + watchMs;
  const units = [...before.states.keys()];
  // Who used what is there no more cannot come back; that was accepted.
  const missing = takesAway(plan.step)
    ? []
    : await notBack(plan, backMs, async () => {
        const now = await healthOf(units);
        const found = worse(before, now, 'starting');
        return now.blind === null && units.some((unit) => found.has(unit));
      });
  const leastMs = units.some((unit) => unit !== plan.unit) ? noticedMs : 0;
  const first = [
    ...(await worseThan(before, units, { leastMs, mostMs: settledMs })),
    ...missing.map(
      ({ program, unit, to }) =>
        `${program ?? 'a process'} of ${unit ?? 'no unit'} was connected to ${to}, and has not come back`,
    ),
    ...(await failing(check)),
  ];
  if (first.length > 0 || performance.now() >= until) return first;
  for (let found = 0; performance.now() < until;) {
    await sleep(everyMs);
    const now = await worseThan(before, units, { leastMs: 0, mostMs: settledMs });
    // What has failed for a moment alone is no worse.
    found = now.length === 0 ? 0 : found + 1;
    if (found > 1) return now;
  }
  return [...(await worseThan(before, units, { leastMs: 0, mostMs: settledMs })), ...(await failing(check))];
};

const everyMs = 1000;

const worseThan = async (
  before: Health,
  units: readonly string[],
  times: Parameters<typeof settledHealthOf>[2],
): Promise<string[]> => {
  const settled = await settledHealthOf(units, before, times);
  return settled.blind === null
    ? [...worse(before, settled, 'settled').values()]
    : [`how services fare could not be looked at: ${settled.blind}`];
};

const failing = async (check: string | null): Promise<string[]> => {
  const failed = check === null ? null : await failsCheck(check);
  return failed === null ? [] : [`the check fails: ${failed}`];
};

/** Where a client dials another address than before, it is the same client: its address is not compared. */
const whoOf = (client: Client): string => clientKey({ ...client, to: '' });

/** Waits for them, unless it is clear before that one of the units that are looked at broke. @returns all who are not back */
const notBack = async (
  { use, doors }: Pick<Plan, 'use' | 'doors'>,
  patienceMs: number,
  hasBroken: () => Promise<boolean>,
): Promise<Client[]> => {
  const ports = new Set(doors.map(({ port }) => port));
  let missing = steadyClients(use);
  const until = performance.now() + patienceMs;
  while (missing.length > 0 && performance.now() < until) {
    const now = new Set((await watchUse(ports, 500)).clients.map(whoOf));
    missing = missing.filter((client) => !now.has(whoOf(client)));
    // The others may still come; that it broke is certain.
    if (missing.length > 0 && (await hasBroken())) return missing;
  }
  return missing;
};

/** @returns why the operator's own check says no; `null` where it passes */
export const failsCheck = async (check: string): Promise<string | null> => {
  const outcome = await run(['sh', '-c', check], 60_000);
  return outcome.status === 0
    ? null
    : `'${check}' ended with ${outcome.status ?? 'no status'}: ${lastWord(outcome)}`;
};
