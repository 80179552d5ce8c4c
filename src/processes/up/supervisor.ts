import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { createVault, isCutShortCreation } from '#vault/append';
import type { Ready } from '#wire/ready';
import { openUnsealedKey } from '../unsealed-key.ts';
import { accounts, type ProcessName } from './accounts.ts';
import { childConfigs } from './configs.ts';
import { supervise, type Supervised } from './child.ts';
import { environment } from './environment.ts';
import { UpError } from './errors.ts';
import {
  fencedCommand,
  fenceGaps,
  groupsOf,
  plainCommand,
  probeFence,
  type Command,
  type FenceAbilities,
} from './fence.ts';
import { keepDoorsWatched } from '../door-watch.ts';
import { closeLines, isNewState, prepareLayout, socketsOf } from './layout.ts';
import { assertNotOfUnits, holdState } from './only-one.ts';
import type { UpOptions } from './options.ts';
import { preparePki } from './pki.ts';
import { replaceFile, writeRunFile } from './run-file.ts';

/** Everything that `holdfast up` runs, while it runs. */
export type Up = {
  ready: Ready;
  /** The console's address with the token that opens it; `null` while the console does not serve. */
  consoleLink: string | null;
  /** What does not serve yet, and what could not be fenced on this machine, in words. */
  notes: string[];
  /**
   * Ends all processes in order, within about five seconds.
   * @returns those that had to be killed
   */
  stop(): Promise<ProcessName[]>;
};

/** The order in which they are ended: first who sends, then who takes in, then who makes provable, then who reads. */
const stopOrder: readonly (readonly ProcessName[])[] = [
  ['agent', 'courier', 'console', 'publisher', 'issuer'],
  ['receiver'],
  ['keeper'],
  ['indexer'],
];
const graceMs: Record<ProcessName, number> = {
  agent: 1200,
  console: 800,
  publisher: 800,
  courier: 1200,
  issuer: 800,
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
  /** Resolves when the person asks for the end before everything serves. */
  interrupted: Promise<void>;
};

/**
 * Starts receiver, keeper, indexer, publisher, console and a local agent on this machine, each a process of its own, and
 * keeps them running. Without receiver or keeper there is nothing to run; the others are tried again and again, so that
 * nothing that reads the log can keep lines from being taken in. Creates the evidence store only in a state directory
 * that is wholly new.
 * @throws UpError
 */
export const startUp = async (input: UpInput): Promise<Up> => {
  const { state, options, uid, log } = input;
  const privileged = uid === 0 ? 'root' : 'ordinary user';
  assertNotOfUnits(state);
  prepareLayout(state, privileged);
  const held = await holdState(state);
  const children: Supervised[] = [];
  let facts: { file: string; stop(): void } | null = null;
  let published: Ready | null = null;
  const stop = async (): Promise<ProcessName[]> => {
    facts?.stop();
    published = null;
    // A service manager may tell all of them to end, and not this one alone.
    for (const child of children) child.retire();
    rmSync(state.readyFile, { force: true });
    const killed: ProcessName[] = [];
    for (const names of stopOrder) {
      const ending = children.filter((child) => names.includes(child.name));
      const ends = await Promise.all(
        ending.map(async (child) => ({ name: child.name, how: await child.stop(graceMs[child.name]) })),
      );
      killed.push(...ends.filter(({ how }) => how === 'killed').map(({ name }) => name));
    }
    held.release();
    return killed;
  };
  try {
    if (isNewState(state) || isCutShortCreation(state)) {
      createVault({
        vault: state.vault,
        keys: state.keys,
        clock: systemClock(),
        owner: privileged === 'root' ? accounts.keeper : null,
      });
    }
    if (privileged === 'root') closeLines(state);
    // A new token for each start; only the console (and who started it) can read it.
    const token = randomBytes(24).toString('base64url');
    const tokenFile = writeRunFile(state, 'console.token', `${token}\n`, uid === 0 ? accounts.console : null);
    const abilities = privileged === 'root' ? probeFence(input.root) : null;
    assertCodeReachable(input.root, abilities);
    const publish = (): void => {
      if (published !== null) published = writeReady(state, children, uid, options);
    };
    const start = (name: ProcessName, config: Record<string, unknown>): Supervised => {
      const child = supervise(
        name,
        command(input, name, config, abilities),
        environment(state),
        log,
        publish,
        // The keeper alone signs.
        ...(name === 'keeper' ? [() => openUnsealedKey(process.env)] : []),
      );
      children.push(child);
      return child;
    };
    const pki = preparePki(state, options, privileged === 'root' ? accounts.receiver : null);
    const configs = childConfigs(
      state,
      options,
      tokenFile,
      pki,
      privileged === 'root' ? socketsOf(state) : null,
    );
    const issuer = configs.issuer === null ? null : start('issuer', configs.issuer);
    // A receiver without a certificate could not serve.
    if (pki !== null && issuer !== null && !existsSync(pki.tls.certificate)) await mustServe(issuer);
    const essential = [start('keeper', configs.keeper), start('receiver', configs.receiver)];
    const readers = [
      ...(issuer === null ? [] : [issuer]),
      start('indexer', configs.indexer),
      start('console', configs.console),
      start('publisher', configs.publisher),
    ];
    if (configs.courier !== null) readers.push(start('courier', configs.courier));
    const interrupted = input.interrupted.then((): never => {
      throw new UpError('not-ready', 'interrupted before all processes served');
    });
    await Promise.race([Promise.all(essential.map(mustServe)), interrupted]);
    if (options.agent === 'on') {
      facts = privileged === 'root' ? await keepDoorsWatched(state, log, accounts.agent) : null;
      readers.push(
        start('agent', { state: state.root, ...(facts === null ? {} : { factsFile: facts.file }) }),
      );
    }
    const outcomes = await Promise.race([Promise.all(readers.map((child) => child.firstStart)), interrupted]);
    published = writeReady(state, children, uid, options);
    const down = readers.flatMap((child, i) =>
      outcomes[i]?.result === 'failed'
        ? [`${child.name} does not serve yet; its reason is above, and it is tried again`]
        : [],
    );
    return {
      ready: published,
      consoleLink: published.console === null ? null : `${published.console}/?token=${token}`,
      notes: [...down, ...(abilities === null ? [] : fenceGaps(abilities))],
      stop,
    };
  } catch (error) {
    await stop();
    throw error instanceof UpError ? error : new UpError('not-ready', messageOf(error), { cause: error });
  }
};

const mustServe = async (child: Supervised): Promise<void> => {
  const first = await child.firstStart;
  if (first.result === 'failed')
    throw new UpError('not-ready', `${child.name} ${first.why} before it served; its reason is above`);
};

const command = (
  input: UpInput,
  name: ProcessName,
  config: Record<string, unknown>,
  abilities: FenceAbilities | null,
): Command => {
  const json = JSON.stringify(config);
  if (abilities === null) return plainCommand(input.root, name, json);
  const codeMount = join(input.state.run, 'code');
  mkdirSync(codeMount, { recursive: true, mode: 0o755 });
  const { listen, publish, indexServer } = input.options;
  const ports = name === 'receiver' ? listen : name === 'publisher' && publish !== null ? [publish] : [];
  return fencedCommand(input.root, name, json, abilities, codeMount, {
    extra: ports.some(({ port }) => port > 0 && port < 1024) ? ['net_bind_service'] : [],
    // On its unix socket alone it needs none.
    ...(name === 'publisher' && publish === null ? { network: 'none' as const } : {}),
    ...(name === 'indexer' && indexServer !== null ? { network: 'host' as const } : {}),
  });
};

/** @throws UpError `state-unusable` where unprivileged processes could not even read their own code. */
const assertCodeReachable = (root: string, abilities: FenceAbilities | null): void => {
  if (abilities === null || abilities.mountNamespaces || abilities.codeReadable) return;
  throw new UpError(
    'state-unusable',
    `the processes of Holdfast run without root's privileges and cannot read their own code below ${root}, which is closed to others. ` +
      'Put it elsewhere (for example /opt/holdfast), or start it as an ordinary user',
  );
};

/** Writes `run/ready.json` whole or not at all. */
const writeReady = (
  state: StateDirectory,
  children: readonly Supervised[],
  uid: number,
  { allowed }: UpOptions,
): Ready => {
  const of = (name: ProcessName): Record<string, string> =>
    children.find((child) => child.name === name)?.addresses() ?? {};
  const ready: Ready = {
    receiver: of('receiver'),
    console: of('console')['console'] ?? null,
    publisher: of('publisher')['publish'] ?? null,
    allowed,
    vkey: readFileSync(state.vkeyFile, 'utf8').trim(),
    supervisorPid: process.pid,
    processes: Object.fromEntries(
      children.flatMap((child) => {
        const pid = child.pid();
        if (pid === null) return [];
        const own = { uid, groups: process.getgroups?.() ?? [] };
        return [
          [
            child.name,
            { pid, ...(uid === 0 ? { uid: accounts[child.name].uid, groups: groupsOf(child.name) } : own) },
          ],
        ];
      }),
    ),
  };
  replaceFile(state.readyFile, `${JSON.stringify(ready)}\n`, 0o644, null);
  return ready;
};
