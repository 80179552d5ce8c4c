import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lchownSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CliError } from '#cli';
import { isKeyName } from '#vault/checkpoint';
import { accounts } from '../up/accounts.ts';
import { fencedProgram, identity, needsCodeMount, probeFence, type Capability } from '../up/fence.ts';
import { closedParent } from '../up/layout.ts';
import { formatLog, keyFileOf, layoutOf, parseListen, parseLog, type Given } from './options.ts';

/** What `holdfast witness` was asked for. */
export type Act = 'show' | 'init' | 'resume' | 'run';

export type Task = { act: Act; origin: string | undefined; output: 'text' | 'json' };

const root = join(import.meta.dirname, '..', '..', '..');

/**
 * Root alone: gives the witness's directory to the witness's user, and starts this command again as that user, with no
 * capability (but the one for a port below 1024) and no way to gain any. The process stays the same one, so signals and
 * who waits for it find it. Does not return, unless there is no witness yet and none to be made: then nothing is done
 * that would need another user.
 * @throws CliError `usage`; `refused` where it cannot be done here
 */
export const becomeWitness = (given: Given, task: Task): void => {
  const logs = given.logs.map(parseLog).map(formatLog);
  const extra: Capability[] =
    given.listen !== undefined && isPrivilegedPort(parseListen(given.listen).port)
      ? ['net_bind_service']
      : [];
  if (!existsSync(layoutOf(given).root)) {
    if (task.act !== 'init' || !isKeyName(given.name ?? '')) return;
    makeDirectories(given);
  }
  giveAway(layoutOf(given).root);
  openWay(given.state.root);
  const abilities = probeFence(root);
  const to = ['setpriv', ...identity('witness', abilities, extra), '--'];
  assertPossible(to);
  assertKeyFile(given, to, task.act);
  const codeMount = join(given.state.root, 'run', 'code');
  if (needsCodeMount(abilities)) mkdirSync(codeMount, { recursive: true, mode: 0o755 });
  else if (!abilities.codeReadable)
    throw refused(`${root}, where its code is, is closed to others. Put it elsewhere, such as /opt/holdfast`);
  const program = { module: 'holdfast', args: argumentsOf(given, task, logs) };
  const { file, args, cwd } = fencedProgram(root, 'witness', program, abilities, codeMount, { extra });
  process.chdir(cwd);
  // env(1) looks along PATH, which execve(2) does not.
  process.execve?.('/usr/bin/env', ['env', file, ...args], environment(given));
  throw refused('this Node cannot replace its process (execve)');
};

const isPrivilegedPort = (port: number): boolean => port > 0 && port < 1024;

const refused = (why: string): CliError =>
  new CliError(
    'refused',
    `root does not witness as root, but as uid ${accounts.witness.uid}, and cannot here: ${why}; or start it as an ordinary user`,
  );

const makeDirectories = (given: Given): void => {
  const { root: directory } = layoutOf(given);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  chmodSync(directory, 0o755);
};

/** What root made is the witness's from now on; what is another's stays so. */
const giveAway = (directory: string): void => {
  const { uid } = statSync(directory);
  if (uid === accounts.witness.uid) return;
  if (uid !== 0)
    throw refused(
      `${directory} belongs to uid ${uid}. Give it to the witness with chown -R ${accounts.witness.uid}:${accounts.witness.gid}`,
    );
  const top = realpathSync(directory);
  // The directory itself is the last: until then this is done again from the beginning.
  for (const path of below(top)) own(path);
  own(top);
};

/** All that lies below a directory, what is in one before itself. A link is one of them; where it leads is not. */
const below = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? [...below(path), path] : [path];
  });

const own = (path: string): void => lchownSync(path, accounts.witness.uid, accounts.witness.gid);

/** Others may pass through the state directory, as where `up` runs; how to get there is the operator's. */
const openWay = (state: string): void => {
  const { uid, mode } = statSync(state);
  if (uid === 0) chmodSync(state, (mode & 0o7777) | 0o011);
  const closed = closedParent(realpathSync(state));
  if (closed !== null) throw refused(`${closed} is closed to others. Choose another directory with --state`);
};

const assertPossible = (to: readonly string[]): void => {
  const { status, stderr, error } = spawnSync('env', [...to, 'true'], { encoding: 'utf8' });
  if (status !== 0)
    throw refused(`setpriv (util-linux) fails: ${error?.message ?? stderr.trim()}. Give root CAP_SETUID`);
};

const assertKeyFile = (given: Given, to: readonly string[], act: Act): void => {
  const file = keyFileOf(given);
  if (given.keyFile === undefined || act === 'show') return;
  const [test, path, wanted] =
    existsSync(file) || act !== 'init' ? ['-r', file, 'read'] : ['-w', dirname(resolve(file)), 'write in'];
  if (spawnSync('env', [...to, 'test', test, path], { cwd: '/' }).status !== 0)
    throw refused(`it may not ${wanted} ${path}. Give that to uid ${accounts.witness.uid}`);
};

/** The same command line, but that nothing in it is relative, or a file that only root may read. */
const argumentsOf = (given: Given, { act, origin, output }: Task, logs: readonly string[]): string[] => [
  'witness',
  ...(act === 'show' ? ['show'] : []),
  ...(act === 'init' ? ['--init'] : []),
  `--state=${resolve(given.state.root)}`,
  ...(given.name === undefined ? [] : [`--name=${given.name}`]),
  ...(given.keyFile === undefined ? [] : [`--key-file=${resolve(given.keyFile)}`]),
  ...logs.map((log) => `--log=${log}`),
  ...(given.listen === undefined ? [] : [`--listen=${given.listen}`]),
  `--every=${given.every}`,
  ...(origin === undefined ? [] : [`--resume=${origin}`]),
  ...(output === 'json' ? ['--json'] : []),
];

/** Nothing of root's own environment but what this program looks at. */
const environment = (given: Given): Record<string, string> =>
  Object.fromEntries(
    Object.entries({
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      HOME: layoutOf(given).root,
      TZ: process.env['TZ'],
      TERM: process.env['TERM'],
      NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'],
      HOLDFAST_DEBUG: process.env['HOLDFAST_DEBUG'],
    }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
