import type { Argv, Turn } from '#advise';
import { alternativesOf, chooseAgain, type Alternative } from './alternatives.ts';
import { stoppedAlong } from './along.ts';
import type { Choice } from './choose.ts';
import { FixError } from './errors.ts';
import { asked, lastWord, run } from './run.ts';
import { statesOf, systemctl, type UnitState } from './unit-states.ts';

/** A package as it is installed. */
export type InstalledPackage = {
  name: string;
  version: string;
  architecture: string;
  /** It came along with others, and nobody asked for it (`apt-mark showauto`). */
  automatic: boolean;
};

/** apt without questions, and without doing more than it is told to. */
export const aptGet = (...args: string[]): Argv => [
  'env',
  'DEBIAN_FRONTEND=noninteractive',
  'NEEDRESTART_SUSPEND=1',
  'apt-get',
  '--quiet',
  '--yes',
  '-o',
  'DPkg::Lock::Timeout=120',
  ...args,
];

const keepConfiguration = ['-o', 'APT::Get::Purge=false', '--no-auto-remove'];

/**
 * What apt would remove with these.
 * @returns names, sorted; or why it would not, or not only
 */
export const simulateRemoval = async (names: readonly string[]): Promise<string[] | { why: string }> => {
  const outcome = await run(aptGet('--simulate', ...keepConfiguration, 'remove', '--', ...names), 60_000);
  if (outcome.status !== 0) return { why: `apt-get says: ${lastWord(outcome)}` };
  const [, other] = /^Inst (\S+)/m.exec(outcome.stdout) ?? [];
  if (other !== undefined) return { why: `apt-get would install ${other} in its place` };
  return [...outcome.stdout.matchAll(/^(?:Remv|Purg) (\S+)/gm)].flatMap(([, name]) => name ?? []).toSorted();
};

/** The package that brought a unit, or the init script that it is made from. @throws FixError `could-not-look` */
export const packageOf = async ({ unit }: Pick<Choice, 'unit'>): Promise<string | null> => {
  const stdout = await asked(['systemctl', 'show', '--property=FragmentPath,SourcePath', '--', unit]);
  const paths = ['SourcePath', 'FragmentPath'].flatMap(
    (name) => new RegExp(`^${name}=(/.*)$`, 'm').exec(stdout)?.[1] ?? [],
  );
  for (const path of paths.flatMap((one) => [one, one.replace(/^\/usr\/lib\//, '/lib/'), `/usr${one}`])) {
    const [, name] = /^([^\s,]+): \//m.exec((await run(['dpkg-query', '--search', path])).stdout) ?? [];
    if (name !== undefined) return name;
  }
  return null;
};

/** What is removed, the turn that removes it, and active units of other packages that stop along. */
export type Removal = {
  turn: Turn;
  packages: InstalledPackage[];
  others: string[];
  along: string[];
  /** Their units. */
  touched: string[];
  alternatives: Alternative[];
};

/**
 * The package that brought the daemon's unit, removed with all that needs it; configuration and data stay.
 * @throws FixError `no-knob` where it cannot be, or must not; `could-not-look`
 */
export const removed = async (choice: Pick<Choice, 'unit'>): Promise<Removal> => {
  const name = await packageOf(choice);
  if (name === null)
    throw new FixError('no-knob', `${choice.unit} is of no package: take away by hand what brought it`);
  const names = await simulateRemoval([name]);
  if ('why' in names) throw new FixError('no-knob', `${name} cannot be removed by itself: ${names.why}`);
  const packages = await installed(names);
  const states = await statesOf([...new Set([choice.unit, ...(await unitsOf(names))])]);
  const alternatives = await alternativesOf(names);
  const booted = (how: string): UnitState[] => states.filter(({ boot }) => boot === how);
  const running = (how: 'active' | 'inactive'): UnitState[] =>
    states.filter(({ active }) => active === (how === 'active'));
  return {
    packages,
    others: names.filter((one) => one !== name),
    along: await stoppedAlong(states.map(({ unit }) => unit)),
    touched: states.map(({ unit }) => unit),
    alternatives,
    turn: {
      edits: [],
      checks: [],
      effective: null,
      apply: [aptGet(...keepConfiguration, 'remove', '--', ...names)],
      revert: [
        ...systemctl('disable', booted('disabled')),
        ...systemctl('enable', booted('enabled')),
        ...systemctl('stop', running('inactive')),
        ...systemctl('start', running('active')),
        ...chooseAgain(alternatives),
      ],
      cautions: [
        `configuration and data of ${names.join(', ')} stay; an undo installs the same version again, from a copy that is kept before`,
        "the packages' own scripts run, at the removal and at an undo",
        ...running('active')
          .filter(({ unit }) => unit !== choice.unit)
          .map(({ unit }) => `${unit} runs from it too, and stops`),
        ...(await recommendersOf(names)),
      ],
      closes: 'all',
    },
  };
};

/**
 * @throws FixError `no-knob` where the system needs one of them, or one is there for several architectures;
 *   `could-not-look`
 */
const installed = async (names: readonly string[]): Promise<InstalledPackage[]> => {
  const format = '${Package}|${Version}|${Architecture}|${Essential}|${Protected}|${Priority}\\n';
  const [shown, automatic] = await Promise.all([
    asked(['dpkg-query', '--show', `--showformat=${format}`, '--', ...names]),
    asked(['apt-mark', 'showauto', '--', ...names]),
  ]);
  const isAutomatic = new Set(automatic.trim().split('\n'));
  const lines = shown.trim().split('\n');
  if (lines.length !== names.length || names.some((name) => name.includes(':')))
    throw new FixError('no-knob', `of ${names.join(', ')} some are there for several architectures: by hand`);
  return lines.map((line) => {
    const [name = '', version = '', architecture = '', essential, protectedOne, priority] = line.split('|');
    if (essential === 'yes' || protectedOne === 'yes' || priority === 'required' || priority === 'important')
      throw new FixError(
        'no-knob',
        `${name} would have to go, and the system needs it (essential, protected, or of priority ${priority ?? 'unknown'})`,
      );
    return { name, version, architecture, automatic: isAutomatic.has(name) };
  });
};

/** Units that packages bring; of a template, the instances that are active. @throws FixError `could-not-look` */
const unitsOf = async (names: readonly string[]): Promise<string[]> => {
  const files = await asked(['dpkg-query', '--listfiles', '--', ...names]);
  const units = [
    ...files.matchAll(/^(?:\/usr)?\/lib\/systemd\/system\/([^/\s]+\.(?:service|socket|path|timer))$/gm),
  ].flatMap(([, unit]) => unit ?? []);
  const templates = units.filter((unit) => unit.includes('@.'));
  return [...units.filter((unit) => !templates.includes(unit)), ...(await instancesOf(templates))];
};

/** @throws FixError `could-not-look` */
const instancesOf = async (templates: readonly string[]): Promise<string[]> => {
  if (templates.length === 0) return [];
  const patterns = templates.map((unit) => unit.replace('@.', '@*.'));
  const list = [
    'systemctl',
    'list-units',
    '--state=active',
    '--plain',
    '--no-legend',
    '--no-pager',
    '--full',
  ];
  const printed = await asked([...list, '--', ...patterns]);
  return printed.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []);
};

/** Installed packages that are better with one of them, a sentence each. @throws FixError `could-not-look` */
const recommendersOf = async (names: readonly string[]): Promise<string[]> => {
  const format = '${db:Status-Abbrev}|${Package}|${Recommends}\\n';
  const shown = await asked(['dpkg-query', '--show', `--showformat=${format}`]);
  return shown.split('\n').flatMap((line) => {
    const [status, name = '', recommends = ''] = line.split('|', 3);
    const wanted = new Set(recommends.split(/[,|]/).map((one) => one.trim().split(/[ :(]/)[0]));
    const lost = names.find((one) => wanted.has(one));
    return status?.startsWith('ii') === true && lost !== undefined && !names.includes(name)
      ? [`${name} recommends ${lost}, and works without it`]
      : [];
  });
};
