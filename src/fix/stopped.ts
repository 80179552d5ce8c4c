import type { Turn } from '#advise';
import { stoppedAlong } from './along.ts';
import { readBusServices } from './bus-activation.ts';
import { FixError } from './errors.ts';
import { lastWord, run } from './run.ts';
import { readUnitFiles, wordsOf, type UnitFiles } from './unit-files.ts';
import { statesOf, systemctl, type UnitState } from './unit-states.ts';

/**
 * A unit and what would start it again, stopped now and at every boot; the undo starts and enables what was so before.
 * @param root of the host whose files are read
 * @returns also the active units that systemd stops along with them, and all that it enables, disables or masks
 * @throws FixError `could-not-look`
 */
export const stopped = async (
  unit: string,
  root = '/',
): Promise<{ turn: Turn; along: string[]; touched: string[] }> => {
  const files = readUnitFiles(root);
  const triggers = wordsOf(await shown(unit, ['TriggeredBy', 'Triggers']), ['TriggeredBy', 'Triggers']);
  const known = [unit, ...triggers.filter((one) => /\.(?:socket|path|timer|service)$/.test(one))];
  const units = [...new Set([...known, ...known.flatMap(files.triggersOf)])];
  const states = await statesOf(units);
  const enabled = states.filter(({ boot }) => boot === 'enabled');
  const pulledIn = await pulledInBy(states, files, root);
  const masked = pulledIn.filter(({ isMaskable }) => isMaskable).map(({ state }) => state);
  const { stdout: texts } = await run(['systemctl', 'cat', '--', ...units]);
  const also = [...new Set(wordsOf(texts, ['Also']))].filter((one) => !units.includes(one));
  const turn: Turn = {
    edits: [],
    checks: [],
    effective: null,
    apply: [...systemctl('disable', enabled), ...systemctl('stop', states), ...systemctl('mask', masked)],
    revert: [
      ...systemctl('unmask', masked),
      ...systemctl('enable', enabled),
      ...systemctl(
        'start',
        states.filter(({ active }) => active),
      ),
    ],
    cautions: [
      ...(also.length === 0
        ? []
        : [`systemctl disables ${also.join(', ')} along with it, and enables it along at an undo`]),
      ...pulledIn.map(({ state, by, isMaskable }) =>
        isMaskable
          ? `${by.join(', ')} would start ${state.unit} again, so it is masked until an undo`
          : `${by.join(', ')} will still start ${state.unit}: its file is where the mask would be (/etc/systemd/system), so change that by hand`,
      ),
      ...(await startedByBus(units, root)),
    ],
    closes: 'all',
  };
  // How a template is cannot be asked of systemctl: it has instances alone.
  const touched = [...units, ...also.filter((one) => !one.includes('@.'))];
  return { turn, along: await stoppedAlong(units), touched };
};

/** A unit that others start, whether it is enabled or not. */
type PulledIn = { state: UnitState; by: string[]; isMaskable: boolean };

const pulls = ['WantedBy', 'RequiredBy', 'UpheldBy'];

/**
 * Those that others start: units that systemd has loaded, units that it has not, and the bus. What their own [Install]
 * section names goes with `systemctl disable`; so do the targets of an init script's runlevels.
 * @throws FixError `could-not-look`
 */
const pulledInBy = async (
  states: readonly UnitState[],
  files: UnitFiles,
  root: string,
): Promise<PulledIn[]> => {
  const going = new Set(states.map(({ unit }) => unit));
  const bus = readBusServices(root);
  const found = await Promise.all(
    states
      .filter(({ boot }) => boot !== 'masked')
      .map(async (state): Promise<PulledIn> => {
        const facts = await shown(state.unit, [...pulls, 'FragmentPath', 'SourcePath']);
        const { stdout: text } = await run(['systemctl', 'cat', '--', state.unit]);
        const isScript = /^SourcePath=\/etc\/init\.d\//m.test(facts);
        const installed = new Set(wordsOf(text, pulls));
        const names = [state.unit, ...files.aliasesOf(state.unit)];
        return {
          state,
          by: [
            ...new Set([
              ...wordsOf(facts, pulls).filter(
                (one) => !going.has(one) && !installed.has(one) && !(isScript && one.endsWith('.target')),
              ),
              ...files.startersOf(state.unit).filter((one) => !going.has(one)),
            ]),
            ...bus.flatMap(({ name, unit }) =>
              unit !== null && names.includes(unit) ? [`a call of ${name} on the system bus`] : [],
            ),
          ],
          isMaskable: state.boot !== 'linked' && !/^FragmentPath=\/etc\/systemd\/system\//m.test(facts),
        };
      }),
  );
  return found.filter(({ by }) => by.length > 0);
};

/** Programs of these units that the bus starts without systemd: no mask keeps it from that. @returns a sentence each */
const startedByBus = async (units: readonly string[], root: string): Promise<string[]> => {
  const programs = new Set(
    (await Promise.all(units.map(async (unit) => shown(unit, ['ExecStart']))))
      .flatMap((text) => [...text.matchAll(/\bpath=(\S+)/g)])
      .map(([, path]) => path),
  );
  return readBusServices(root)
    .filter(({ unit, program }) => unit === null && program !== null && programs.has(program))
    .map(
      ({ name, file, program }) =>
        `a call of ${name} on the system bus will start ${program} again, and not by systemd: take away ${file} by hand`,
    );
};

/** What systemctl says of a unit, `NAME=VALUE` a line. @throws FixError `could-not-look` */
const shown = async (unit: string, properties: readonly string[]): Promise<string> => {
  const outcome = await run(['systemctl', 'show', `--property=${properties.join(',')}`, '--', unit]);
  if (outcome.status === 0) return outcome.stdout;
  throw new FixError(
    'could-not-look',
    `nothing was changed: what starts ${unit} is asked of systemctl, and it said: ${lastWord(outcome)}`,
  );
};
