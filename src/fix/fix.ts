import { randomBytes } from 'node:crypto';
import { checkCandidate } from './candidate.ts';
import { failsCheck, unitsToWatch, whatBroke } from './dependents.ts';
import { FixError } from './errors.ts';
import { messageOf } from '#base/errors';
import type { Listener } from '#inspect';
import { backUp, changedBefore, writeEdit } from './files.ts';
import { alone, step, timeOf, type Fixer } from './fixer.ts';
import { guardOf } from './guard.ts';
import { healthBefore, type Health } from './health.ts';
import { newJournal, openingOf, stateOf, type Entry, type Journal, type Opening } from './journal.ts';
import { checkOnlyThese, keepPackages, packagesMs, stillInstalled, type Kept } from './packages.ts';
import { judgeOutside } from './outside.ts';
import { makePlan, overridden, type Plan, type Wish } from './plan.ts';
import { isDecided, isHere, knockAt, knockText, untilInside, type Knock } from './prove.ts';
import type { RiskName } from './risks.ts';
import { lastWord, run } from './run.ts';
import { aims } from './steps.ts';
import { timesOf, type Times } from './times.ts';
import { recover, rollBack } from './undo.ts';

export type FixRequest = Wish & {
  /** Risks that the operator has accepted by name. */
  accept: ReadonlySet<RiskName>;
  /** The operator's own check, for sh; must pass before and after. */
  check: string | null;
  /** What reaches another host to knock from; `null`: a network namespace on this one. */
  from: string | null;
  /** How long those who use it are watched afterwards; `null`: see timesOf. */
  watchAfterMs: number | null;
  /** After how long a fix that may lock out the operator is undone unless it is confirmed. */
  confirmSeconds: number;
};

/** `awaiting`: it is undone by itself unless the operator confirms. `failed`: undone, but not all is as before. */
export type FixResult = {
  id: string;
  result: 'done' | 'awaiting' | 'undone' | 'failed';
  /** Whether a knock from outside proved it; `unproven` goes on only where that risk was accepted. */
  outside: 'proven' | 'unproven';
  broke: string[];
};

const shutWithinMs = 30_000;

/**
 * Takes a daemon one step down the ladder, and proves it; undoes by itself what it cannot prove. What was interrupted before
 * is put back first.
 * @throws FixError where nothing was changed; what goes wrong after the first change is undone, and told in the result
 */
export const fix = async (fixer: Fixer, request: FixRequest): Promise<FixResult> =>
  alone(fixer, 0, async () => {
    await recover(fixer);
    const { plan } = await makePlan(request);
    const id = `${timeOf(fixer).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${plan.unit.replace(/\..*$/, '').replaceAll(/[^\w-]/g, '-')}-${randomBytes(2).toString('hex')}`;
    const journal = newJournal(fixer.fixes, id);
    const tell = async (name: string, outcome: Entry['outcome'], text: string): Promise<void> =>
      step(fixer, journal, { step: name, outcome, text });

    await tell(
      'plan',
      'ok',
      `${plan.service} (${plan.unit}), open on ${plan.title}, is to be ${aims[plan.step]}`,
    );
    await tell('use', 'told', useText(plan));
    const { knocks, health, times, backups, packages, kept } = await tried(fixer, plan, request, tell);
    const watched = [...health.states].flatMap(([unit, state]) => (state === 'active' ? [unit] : []));
    const active = [...new Set([...watched, ...plan.along])];
    const opening = { plan, backups, packages, active, check: request.check, from: request.from };
    await fixer.said(id, journal.begin(opening, kept, timeOf(fixer)));
    const guard = guardOf(id, fixer.undoCommand(id));
    const { watchMs, undoneIn } = times;
    let turned: Turned;
    try {
      await guard.arm(undoneIn);
      await tell(
        'guard',
        'ok',
        `systemd undoes it at the next boot, or in ${undoneIn} s, unless it is done by then`,
      );
      turned = await turn(fixer, journal, { health, knocks, accept: request.accept, watchMs });
      if (turned.broke.length === 0 && plan.losesLogin) await guard.arm(request.confirmSeconds);
    } catch (error) {
      if (stateOf(journal) === 'backed-up') {
        await rollBack(fixer, journal, `it could not begin: ${messageOf(error)}`);
        throw error;
      }
      turned = { broke: [`it could not go on: ${messageOf(error)}`], outside: 'unproven' };
    }
    if (turned.broke.length > 0) return undone(fixer, journal, turned);
    const proven = turned.outside === 'proven' ? 'proven' : 'done, not proven from outside';
    if (plan.losesLogin) {
      const until = new Date(Date.parse(timeOf(fixer)) + request.confirmSeconds * 1000).toISOString();
      await step(fixer, journal, {
        step: 'awaiting',
        outcome: 'ok',
        text: `${proven}; undone in ${request.confirmSeconds} s unless you confirm it: holdfast services fix --confirm ${id}`,
        state: 'awaiting',
        until,
      });
      return { id, result: 'awaiting', ...turned };
    }
    await step(fixer, journal, {
      step: 'done',
      outcome: 'ok',
      text: `${proven}. To undo it: holdfast services undo ${id}`,
      state: 'done',
    });
    // Killed before this, the guard finds the fix done and leaves it.
    await guard.disarm();
    return { id, result: 'done', ...turned };
  });

/** Puts a fix back that could not be finished, and says how that went. */
const undone = async (fixer: Fixer, journal: Journal, { broke, outside }: Turned): Promise<FixResult> => {
  const { id } = journal;
  try {
    for (const text of broke) await step(fixer, journal, { step: 'broke', outcome: 'failed', text });
    const good = await rollBack(fixer, journal, 'not all is as it must be');
    const last = journal.entries.at(-1)?.text ?? 'see its journal';
    return { id, result: good ? 'undone' : 'failed', outside, broke: good ? broke : [...broke, last] };
  } catch (error) {
    const why = `it could not be put back: ${messageOf(error)}. systemd tries it again; the old bytes are in ${journal.directory}`;
    return { id, result: 'failed', outside, broke: [...broke, why] };
  }
};

/** Whatever says no here is a step too: nothing was changed. @throws FixError */
const tried = async (
  fixer: Fixer,
  plan: Plan,
  request: FixRequest,
  tell: Tell,
): Promise<Pick<Opening, 'backups'> & Kept & { knocks: Knock[]; health: Health; times: Times }> => {
  try {
    const knocks = await tryBefore(plan, request, tell);
    const health = await healthBefore(await unitsToWatch(plan));
    const times = timesOf(plan, health, request);
    const { backups, kept } = backUp(plan.edits);
    const archives = await keepPackages(plan.packages, `${fixer.fixes}/fetch`);
    return {
      knocks,
      health,
      times,
      backups,
      packages: archives.packages,
      kept: new Map([...kept, ...archives.kept]),
    };
  } catch (error) {
    await tell('refused', 'failed', messageOf(error));
    throw error;
  }
};

type Tell = (name: string, outcome: Entry['outcome'], text: string) => Promise<void>;

/** All that may say no while nothing is changed. @throws FixError */
const tryBefore = async (plan: Plan, { accept, check, from }: FixRequest, tell: Tell): Promise<Knock[]> => {
  for (const { name, why, mustAccept } of plan.risks)
    await tell(
      'risk',
      'told',
      `${name}${mustAccept ? (accept.has(name) ? ' (accepted)' : ' (not accepted)') : ''}: ${why}`,
    );
  const open = plan.risks.filter(({ name, mustAccept }) => mustAccept && !accept.has(name));
  if (open.length > 0)
    throw new FixError(
      'risk-not-accepted',
      `nothing was changed. ${open.map(({ name, why }) => `${name}: ${why}`).join('. ')}. If that is meant: ${open.map(({ name }) => `--accept ${name}`).join(' ')}`,
    );
  const fails = check === null ? null : await failsCheck(check);
  if (fails !== null)
    throw new FixError(
      'check-failed',
      `nothing was changed: the check fails before the fix already: ${fails}`,
    );
  if (check !== null) await tell('check', 'ok', `'${check}' passes`);

  const knocks = await knockAt(plan.doors, from);
  const blind = knocks.filter((knock) => !isDecided(knock));
  if ((knocks.length === 0 || blind.length > 0) && !accept.has('unproven-outside'))
    throw new FixError(
      'risk-not-accepted',
      `nothing was changed: it could not be proven from outside (${blind.map(knockText).join('; ') || 'no address of this host to knock at'}). Name another host with --from, or --accept unproven-outside`,
    );
  const place = from === null ? 'from another network namespace' : `from '${from}'`;
  for (const knock of knocks) await tell('outside', 'told', `before, ${place}: ${knockText(knock)}`);

  for (const syntax of plan.checks) {
    const no = await checkCandidate(plan.edits, syntax, plan.unit);
    const what =
      syntax.kind === 'trial'
        ? `started in a namespace of its own: ${syntax.argv.join(' ')}`
        : syntax.argv.join(' ');
    if (no !== null)
      throw new FixError('check-failed', `nothing was changed: '${syntax.argv.join(' ')}' says: ${no}`);
    await tell('syntax', 'ok', what);
  }
  const over = overridden(plan);
  if (over !== null) throw new FixError('check-failed', `nothing was changed: ${over}`);
  if (plan.effective !== null)
    await tell(
      'effective',
      'ok',
      `${plan.effective.command}: ${plan.effective.before ?? 'unset'} → ${plan.effective.after ?? 'unknown'}`,
    );
  return knocks;
};

/** What is not as it must be, a sentence each, and whether a knock from outside showed that the door is shut. */
type Turned = Pick<FixResult, 'broke' | 'outside'>;

/** What it is compared with, and for how long. */
type Watching = Pick<FixRequest, 'accept'> & { health: Health; knocks: readonly Knock[]; watchMs: number };

/** Writes, restarts and proves. @throws FixError `check-failed` where nothing was changed; others, where it was */
const turn = async (
  fixer: Fixer,
  journal: Journal,
  { health, knocks, accept, watchMs }: Watching,
): Promise<Turned> => {
  const broken = (...broke: string[]): Turned => ({ broke, outside: 'unproven' });
  const { plan, backups, packages = [], check, from } = openingOf(journal);
  const begin = async (state: NonNullable<Entry['state']>, text: string): Promise<void> =>
    step(fixer, journal, { step: state, outcome: 'begun', text, state });
  const tell: Tell = async (name, outcome, text) => step(fixer, journal, { step: name, outcome, text });

  const [changed] = changedBefore(backups);
  if (changed !== undefined)
    throw new FixError(
      'check-failed',
      `nothing was changed: ${changed} was changed by somebody else meanwhile. Run it again`,
    );
  await checkOnlyThese(packages);
  await begin('writing', plan.edits.map(({ path }) => path).join(', ') || 'no file');
  for (const [number, backup] of backups.entries()) {
    const edit = plan.edits[number];
    if (edit !== undefined) writeEdit(backup, edit);
  }
  await begin('restarting', plan.apply.map((argv) => argv.join(' ')).join('; '));
  for (const argv of plan.apply) {
    const outcome = await run(argv, packages.length === 0 ? undefined : packagesMs);
    if (outcome.status !== 0) return broken(`'${argv.join(' ')}' failed: ${lastWord(outcome)}`);
  }
  const left = await stillInstalled(packages);
  if (left.length > 0) return broken(`${left.map(({ name }) => name).join(', ')} is still installed`);
  await begin('proving', 'from inside, from outside, and by those who use it');

  const open = plan.step === 'firewalled' ? null : await notShutInside(plan, tell);
  if (open !== null) return broken(open);
  const judged = judgeOutside(plan.doors, knocks, await knockAt(plan.doors, from), accept);
  for (const { outcome, text } of judged.told) await tell('outside', outcome, text);
  if (judged.broke !== null) return broken(judged.broke);
  if (watchMs > 0)
    await tell('watch', 'told', `those who use it, for ${Math.round(watchMs / 1000)} s (--watch-after)`);
  const broke = await whatBroke(plan, health, check, { watchMs });
  if (broke.length === 0)
    await tell(
      'dependents',
      'ok',
      `${[...health.states.keys()].join(', ')} healthy; ${plan.use.clients.filter(({ local }) => local).length} local clients looked after${check === null ? '' : `; '${check}' passes`}`,
    );
  return { broke, outside: judged.outside };
};

/** @returns what this host itself still sees open, or does not see any more; `null` where all is as it must be */
const notShutInside = async (plan: Plan, tell: Tell): Promise<string | null> => {
  const inside = await untilInside(
    plan,
    (now) => now.exposed.length === 0 && isHere(plan, now),
    shutWithinMs,
  );
  const text = (all: readonly Listener[]): string =>
    all.map(({ protocol, address, port }) => `${protocol} ${address}:${port ?? ''}`).join(', ');
  if (inside.blind !== null) return `what is open on this host could not be looked at: ${inside.blind}`;
  if (inside.exposed.length > 0) return `${plan.service} is still open to others: ${text(inside.exposed)}`;
  if (!isHere(plan, inside)) return `${plan.service} does not answer on this host any more`;
  await tell('inside', 'ok', inside.local.length === 0 ? 'nothing is open any more' : text(inside.local));
  return null;
};

/** Who was seen, and for how long was looked. */
export const useText = ({ use: { clients, milliseconds, overUdp } }: Pick<Plan, 'use'>): string => {
  const window = `watched for ${(milliseconds / 1000).toFixed(0)} s${overUdp === null ? '' : ` (${overUdp})`}`;
  if (clients.length === 0) return `${window}: nobody was connected`;
  return `${window}: ${clients
    .map(({ local, program, unit, from, to }) =>
      local ? `${program ?? 'a process'} (${unit ?? 'no unit'}) at ${to}` : `${from} from outside at ${to}`,
    )
    .join(', ')}`;
};
