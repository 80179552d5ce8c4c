import type { CouldNotLook } from '#base/looked';
import { runCommand, type CommandOutcome } from './command.ts';

/** What three read-only runs of apt printed. `upgradeError`: apt refused to plan, though it knows its packages. */
export type AptOutputs = {
  upgrade: string;
  distUpgrade: string;
  policy: string;
  /** `apt-cache depends` of what only dist-upgrade would upgrade and install; `''` where there is nothing to explain. */
  depends: string;
  upgradeError: string | null;
  /** Files that apt may not read as this user, so that its answer may be another than root's. */
  unreadable: string | null;
};

export type AptRuns =
  { result: 'found'; outputs: AptOutputs } | { result: 'could-not-look'; couldNotLook: CouldNotLook };

/** nobody: apt that runs as it can write neither its caches nor its logs. */
const unprivileged = 65534;
const timeout = 120_000;

/**
 * Runs `apt-get -s upgrade`, `apt-get -s dist-upgrade` and `apt-cache policy NAME…` at the same time. They never
 * write: under root they run as nobody, and only where nobody may not read the configuration (a pin file of mode 0600
 * changes the answer, and apt merely warns) again as root with cache and log files switched off.
 *
 * @param root `''`, or a directory with `etc/apt`, `var/lib/apt` and `var/lib/dpkg/status` of another system
 * @param names all installed packages, as apt names them
 */
export const simulateUpgrades = async (root: string, names: readonly string[]): Promise<AptRuns> => {
  const asRoot = process.getuid?.() === 0;
  const first = await run(root, names, asRoot ? unprivileged : undefined);
  if (first.result === 'could-not-look' || first.outputs.unreadable === null || !asRoot) return first;
  return run(root, names, undefined);
};

const run = async (root: string, names: readonly string[], runAs: number | undefined): Promise<AptRuns> => {
  const options = { timeout, ...(runAs === undefined ? {} : { runAs }) };
  const settings = aptSettings(
    root,
    runAs === undefined && process.getuid?.() === 0 ? 'no-files' : 'shared-cache',
  );
  const get = (verb: string): Promise<CommandOutcome> =>
    runCommand('apt-get', ['-s', ...settings, verb], options);
  const [upgrade, distUpgrade, policy] = await Promise.all([
    get('upgrade'),
    get('dist-upgrade'),
    runCommand('apt-cache', [...settings, 'policy', ...names], options),
  ]);
  for (const outcome of [upgrade, distUpgrade, policy]) {
    if (!outcome.ran)
      return notLooked(
        outcome.why === 'timed out'
          ? `apt took more than ${timeout / 1000} s`
          : `apt: ${outcome.why}: ${outcome.detail}`,
      );
  }
  if (!upgrade.ran || !distUpgrade.ran || !policy.ran) return notLooked('apt did not run');
  if (policy.status !== 0) return notLooked(`apt-cache policy failed: ${firstError(policy.stderr)}`);
  const explain = onlyIn(distUpgrade.stdout, upgrade.stdout);
  const depends =
    explain.length === 0
      ? null
      : await runCommand('apt-cache', [...settings, 'depends', ...explain], options);
  const unreadable =
    /^[WE]: .*Permission denied.*$/m.exec(`${upgrade.stderr}\n${policy.stderr}`)?.[0] ?? null;
  return {
    result: 'found',
    outputs: {
      upgrade: upgrade.stdout,
      distUpgrade: distUpgrade.stdout,
      policy: policy.stdout,
      depends: depends?.ran === true ? depends.stdout : '',
      upgradeError: upgrade.status === 0 ? null : firstError(`${upgrade.stderr}\n${upgrade.stdout}`),
      unreadable,
    },
  };
};

/** apt.conf(5) settings: no locks, no notes, no planner log, the headings of apt 2 also from apt 3. */
const aptSettings = (root: string, files: 'shared-cache' | 'no-files'): string[] =>
  [
    'Debug::NoLocking=1',
    'APT::Get::Show-User-Simulation-Note=false',
    'APT::Output-Version=0',
    'Dir::Log::Planner=/dev/null',
    ...(files === 'no-files' ? ['Dir::Cache::pkgcache=', 'Dir::Cache::srcpkgcache='] : []),
    ...(root === '' ? [] : [`Dir=${root}`, `Dir::State::status=${root}/var/lib/dpkg/status`]),
  ].flatMap((setting) => ['-o', setting]);

const installNames = (text: string): Set<string> =>
  new Set([...text.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? ''));

const onlyIn = (text: string, other: string): string[] => {
  const others = installNames(other);
  return [...installNames(text)].filter((name) => !others.has(name));
};

const firstError = (text: string): string =>
  /^E: .*$/m.exec(text)?.[0] ?? (text.trim().split('\n')[0] || 'no message');

const notLooked = (why: string): AptRuns => ({
  result: 'could-not-look',
  couldNotLook: {
    what: 'pending upgrades',
    why,
    remedy: 'run `LC_ALL=C apt-get -s upgrade` and mend what it complains about',
  },
});
