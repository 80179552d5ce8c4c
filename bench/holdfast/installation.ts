import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock';
import { stateDirectory, type StateDirectory } from '#base/state';
import { createVault } from '#vault/append';
import { readyName, type ListenerKind, type TlsFiles } from '#wire/listen';
import { BenchError } from '../errors.ts';
import { startProcess, type Process } from '../run/process.ts';

export type ProcessName = 'receiver' | 'keeper' | 'indexer';

/** A state directory with its own new vault, and the processes that run on it: as `holdfast up` starts them. */
export type Installation = {
  state: StateDirectory;
  processes: readonly Process[];
  /** Of the receiver's one listener, on loopback. */
  port: number;
};

/** How the receiver listens. */
export type Door = { kind: ListenerKind; tls: TlsFiles | null };

export const plainTcp: Door = { kind: 'syslog-tcp', tls: null };

/** What is out of the ordinary about a run. */
export type Conditions = {
  /** Every thread leaves a profile in `<stage>.<process>/` here when it ends; null for none. */
  profiles: string | null;
  /** Every fsync and fdatasync takes this much longer, as on a disk that has to wait for its platter; 0 for none. */
  fsyncDelayMs: number;
};

/**
 * @param dir empty, for this run alone
 * @throws BenchError `failed`
 */
export const install = async (
  dir: string,
  names: readonly ProcessName[],
  stage: string,
  conditions: Conditions,
  door: Door = plainTcp,
): Promise<Installation> => {
  const state = stateDirectory(join(dir, 'state'));
  createVault({ vault: state.vault, keys: state.keys, clock: systemClock() });
  return startOn(state, names, stage, conditions, door);
};

/**
 * Starts processes on a vault that is there.
 * @throws BenchError `failed`
 */
export const startOn = async (
  state: StateDirectory,
  names: readonly ProcessName[],
  stage: string,
  { profiles, fsyncDelayMs }: Conditions,
  door: Door = plainTcp,
): Promise<Installation> => {
  for (const part of [state.root, state.intake, state.index, state.spool, state.run])
    mkdirSync(part, { recursive: true, mode: 0o700 });
  const processes: Process[] = [];
  let port = 0;
  for (const name of names) {
    const config = {
      state: state.root,
      ...(name === 'receiver' ? receiverConfig(door) : {}),
    };
    // An earlier run's profiles would be taken for this one's.
    if (profiles !== null) rmSync(join(profiles, `${stage}.${name}`), { recursive: true, force: true });
    const child = startProcess({
      name,
      ...slowed(fsyncDelayMs, [
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        ...(profiles === null ? [] : profileArguments(profiles, stage, name)),
        join(import.meta.dirname, '..', '..', 'src', 'processes', `${name}.ts`),
        JSON.stringify(config),
      ]),
      env: { ...process.env, HOLDFAST_READY_FD: '3' },
      cwd: '/',
      output: 'descriptor 3',
    });
    processes.push(child);
    const said = await child.said('ready');
    if (name === 'receiver') port = portOf(said, door.kind);
  }
  return { state, processes, port };
};

/**
 * Under strace(1), which then only stops the process at these system calls; `-D` keeps the process itself the bench's
 * child, so that its pid and its figures stay its own.
 */
const slowed = (delayMs: number, command: readonly string[]): { file: string; args: readonly string[] } => {
  const [file = '', ...args] = command;
  if (delayMs === 0) return { file, args };
  const inject = `inject=fsync,fdatasync:delay_exit=${Math.round(delayMs * 1000)}`;
  const options = [
    '-D',
    '-f',
    '-qq',
    '--seccomp-bpf',
    '-e',
    'trace=fsync,fdatasync',
    '-e',
    inject,
    '-o',
    '/dev/null',
  ];
  return { file: 'strace', args: [...options, ...command] };
};

const profileArguments = (dir: string, stage: string, name: ProcessName): string[] => [
  '--cpu-prof',
  `--cpu-prof-dir=${join(dir, `${stage}.${name}`)}`,
];

/** Whoever speaks from this machine may, over TLS also without a certificate. */
const receiverConfig = ({ kind, tls }: Door): Record<string, unknown> => ({
  listen: [{ kind, host: '127.0.0.1', port: 0 }],
  ...(tls === null ? {} : { tls, allowed: { networks: [], names: [], certificates: 'optional' } }),
});

const portOf = (said: string, kind: ListenerKind): number => {
  const { addresses } = JSON.parse(said) as { addresses: Record<string, string> };
  const address = addresses[readyName(kind)] ?? '';
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  if (!(port > 0)) throw new BenchError('failed', `the receiver named no address for ${kind}: ${said}`);
  return port;
};
