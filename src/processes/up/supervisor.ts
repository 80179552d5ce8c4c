import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { createVault } from '#vault/append';
import type { Ready } from '#wire/ready';
import { accounts, type ProcessName } from './accounts.ts';
import { supervise, type Supervised } from './child.ts';
import { UpError } from './errors.ts';
import { fencedCommand, fenceGaps, plainCommand, probeFence, type FenceAbilities } from './fence.ts';
import { isNewState, prepareLayout } from './layout.ts';
import { holdState } from './only-one.ts';
import type { UpOptions } from './options.ts';

/** Everything that `holdfast up` runs, while it runs. */
export type Up = {
  ready: Ready;
  /** The console's address with the token that opens it; for the person who started it alone. */
  consoleLink: string;
  /** What could not be fenced on this machine, in words. */
  gaps: string[];
  /** Ends all processes in order, within about five seconds. */
  stop(): Promise<void>;
};

/** The order in which they are ended: first who sends, then who takes in, then who makes provable, then who reads. */
const stopOrder: readonly (readonly ProcessName[])[] = [
  ['agent', 'console'],
  ['receiver'],
  ['keeper'],
  ['indexer'],
];
const graceMs: Record<ProcessName, number> = {
  agent: 1200,
  console: 800,
  receiver: 1000,
  keeper: 1500,
  indexer: 1000,
};

export type UpInput = {
  root: string;
  state: StateDirectory;
  options: UpOptions;
  uid: number;
  log: OwnLog;
  interrupted: Promise<void>;
};

/**
 * Starts receiver, keeper, indexer, console and a local agent on this machine, each a process of its own, and keeps
 * them running. Creates the evidence store only in a state directory that is wholly new.
 * @throws UpError
 */
export const startUp = async (input: UpInput): Promise<Up> => {
  const { state, options, uid } = input;
  const privileged = uid === 0 ? 'root' : 'ordinary user';
  prepareLayout(state, privileged);
  const held = await holdState(state);
  const children: Supervised[] = [];
  const stop = async (): Promise<void> => {
    rmSync(state.readyFile, { force: true });
    for (const names of stopOrder) {
      await Promise.all(
        children
          .filter((child) => names.includes(child.name))
          .map((child) => child.stop(graceMs[child.name])),
      );
    }
    await held.release();
  };
  try {
    if (isNewState(state)) createEvidenceStore(state, privileged);
    const tokenFile = writeConsoleToken(state, privileged);
    const abilities = privileged === 'root' ? probeFence(input.root) : null;
    assertCodeReachable(input.root, abilities);
    const start = (name: ProcessName, config: Record<string, unknown>): Supervised => {
      const child = supervise(
        name,
        command(input, name, config, abilities),
        environment(state),
        input.log,
        () => publish(),
      );
      children.push(child);
      return child;
    };
    let published: Ready | null = null;
    const publish = (): Ready | null => {
      if (published === null) return null;
      published = writeReady(state, children, uid);
      return published;
    };
    const configs: readonly [ProcessName, Record<string, unknown>][] = [
      ['keeper', { state: state.root }],
      ['receiver', { state: state.root, listen: options.listen }],
      ['indexer', { state: state.root }],
      ['console', { state: state.root, ...options.console, tokenFile }],
    ];
    for (const [name, config] of configs) start(name, config);
    const interrupted = input.interrupted.then(() => {
      throw new UpError('not-ready', 'interrupted before all processes served');
    });
    await Promise.race([Promise.all(children.map((child) => child.ready)), interrupted]);
    if (options.agent === 'on') await start('agent', { state: state.root }).ready;
    published = writeReady(state, children, uid);
    const token = readFileSync(tokenFile, 'utf8').trim();
    return {
      ready: published,
      consoleLink: `${published.console}/?token=${token}`,
      gaps: abilities === null ? [] : fenceGaps(abilities),
      stop,
    };
  } catch (error) {
    await stop();
    throw error instanceof UpError ? error : new UpError('not-ready', messageOf(error), { cause: error });
  }
};

const command = (
  input: UpInput,
  name: ProcessName,
  config: Record<string, unknown>,
  abilities: FenceAbilities | null,
) => {
  const json = JSON.stringify(config);
  if (abilities === null) return plainCommand(input.root, name, json);
  const codeMount = join(input.state.run, 'code');
  mkdirSync(codeMount, { recursive: true, mode: 0o755 });
  const low = input.options.listen.some(({ port }) => port > 0 && port < 1024);
  return fencedCommand(input.root, name, json, abilities, codeMount, low ? 'low port' : 'none');
};

const environment = (state: StateDirectory): NodeJS.ProcessEnv => ({
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  TZ: process.env['TZ'],
  HOME: state.run,
  HOLDFAST_READY_FD: '3',
  HOLDFAST_DEBUG: process.env['HOLDFAST_DEBUG'],
});

/** @throws UpError `state-unusable` where unprivileged processes could not even read their own code. */
const assertCodeReachable = (root: string, abilities: FenceAbilities | null): void => {
  if (abilities === null || abilities.mountNamespaces || abilities.codeReadable) return;
  throw new UpError(
    'state-unusable',
    `the processes of Holdfast run without root's privileges and cannot read their own code below ${root}, which is closed to others. ` +
      'Put it elsewhere (for example /opt/holdfast), or start it as an ordinary user',
  );
};

const createEvidenceStore = (state: StateDirectory, privileged: 'root' | 'ordinary user'): void => {
  const { files } = createVault({ vault: state.vault, keys: state.keys, clock: systemClock() });
  // The group stays what the set-group-id bit of vault/ gave it: that of its readers.
  const sameGroup = -1;
  if (privileged === 'root') for (const file of files) chownSync(file, accounts.keeper.uid, sameGroup);
};

/** A new token for each start; only the console (and root) can read it. */
const writeConsoleToken = (state: StateDirectory, privileged: 'root' | 'ordinary user'): string => {
  const file = join(state.run, 'console.token');
  rmSync(file, { force: true });
  writeFileSync(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o400 });
  if (privileged === 'root') chownSync(file, accounts.console.uid, accounts.console.gid);
  return file;
};

/** Writes `run/ready.json` whole or not at all. */
const writeReady = (state: StateDirectory, children: readonly Supervised[], uid: number): Ready => {
  const of = (name: ProcessName): Record<string, string> =>
    children.find((child) => child.name === name)?.addresses() ?? {};
  const ready: Ready = {
    receiver: of('receiver'),
    console: of('console')['console'] ?? null,
    vkey: readFileSync(state.vkeyFile, 'utf8').trim(),
    supervisorPid: process.pid,
    processes: Object.fromEntries(
      children.flatMap((child) => {
        const pid = child.pid();
        return pid === null ? [] : [[child.name, { pid, uid: uid === 0 ? accounts[child.name].uid : uid }]];
      }),
    ),
  };
  const temporary = `${state.readyFile}.new`;
  writeFileSync(temporary, `${JSON.stringify(ready)}\n`, { mode: 0o644 });
  renameSync(temporary, state.readyFile);
  return ready;
};
