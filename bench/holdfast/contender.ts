import { mkdirSync } from 'node:fs';
import type { Corpus } from '../corpus/corpus.ts';
import { connectSender, type Transport } from '../load/sending.ts';
import type { Figures } from '../run/figures.ts';
import { hottest } from '../run/profile.ts';
import { bytesBelow, cpuSeconds, endedChildrenCpuSeconds, peakBytes } from '../run/usage.ts';
import { waitForRest } from '../run/wait.ts';
import {
  install,
  plainTcp,
  type Conditions,
  type Door,
  type Installation,
  type ProcessName,
} from './installation.ts';
import { countIntake } from './intake-count.ts';
import type { Stage } from './stage.ts';
import { countVault, vaultSize, waitUntilProvable } from './vault-count.ts';
import { checkSearch, checkTotal, waitUntilSearchable } from './search-count.ts';

const stopMs = 60_000;

/** One run. @param dir empty, for this run alone */
export const runHoldfast = async (
  stage: Stage,
  corpus: Corpus,
  dir: string,
  conditions: Conditions,
): Promise<Figures> => {
  if (conditions.profiles !== null) mkdirSync(conditions.profiles, { recursive: true });
  return stage === 'durable'
    ? runDurable('Holdfast, durable', plainTcp, { kind: 'tcp' }, corpus, dir, conditions)
    : runCommitted(stage, corpus, dir, conditions);
};

/**
 * The receiver alone. When the senders' connections are closed by both sides it has read everything; its orderly end
 * (status 0) says that all of it has been fsynced. The clock stops after that.
 */
export const runDurable = async (
  contender: string,
  door: Door,
  transport: Transport,
  corpus: Corpus,
  dir: string,
  conditions: Conditions,
): Promise<Figures> => {
  const { state, processes, port } = await install(dir, ['receiver'], 'durable', conditions, door);
  const sender = await connectSender(corpus, port, transport);
  const before = used(processes);
  const { started } = await sender.go();
  const peak = processes.reduce((sum, { pid }) => sum + peakBytes(pid), 0);
  const endedBefore = endedChildrenCpuSeconds();
  for (const child of processes) await child.stop(stopMs);
  const ended = process.hrtime.bigint();
  const cpu = endedChildrenCpuSeconds() - endedBefore - before;
  await sender.end();
  return {
    contender,
    reached: 'every byte fsynced by the receiver',
    wallSeconds: Number(ended - BigInt(started)) / 1e9,
    cpuSeconds: cpu,
    cpuSecondsAtRest: cpu,
    peakBytes: peak,
    disk: { intake: bytesBelow(state.intake) },
    diskBytes: bytesBelow(state.intake),
    hottest: whereTimeWent('durable', conditions, started),
    processes: { receiver: { cpuSeconds: cpu, peakBytes: peak } },
    count: countIntake(state, door.kind, corpus),
  };
};

const committed = {
  provable: {
    names: ['receiver', 'keeper'],
    contender: 'Holdfast, provable',
    reached: 'every line under a published, signed checkpoint',
  },
  searchable: {
    names: ['receiver', 'keeper', 'indexer'],
    contender: 'Holdfast, searchable',
    reached: 'every line provable and found by search',
  },
} as const satisfies Record<string, { names: readonly ProcessName[]; contender: string; reached: string }>;

const runCommitted = async (
  stage: 'provable' | 'searchable',
  corpus: Corpus,
  dir: string,
  conditions: Conditions,
): Promise<Figures> => {
  const { names, contender, reached } = committed[stage];
  const { state, processes, port } = await install(dir, names, stage, conditions);
  const sender = await connectSender(corpus, port);
  const before = processes.map(({ pid }) => cpuSeconds(pid));
  const { started } = await sender.go();
  // With `provable` it is these entries that are counted afterwards, and none that came later.
  const size = stage === 'provable' ? await waitUntilProvable(state, corpus) : null;
  if (stage === 'searchable') await waitUntilSearchable(state, corpus);
  const ended = process.hrtime.bigint();
  const after = processes.map(({ pid }) => cpuSeconds(pid));
  const each = processes.map(({ pid }, i) => ({
    cpuSeconds: (after[i] ?? 0) - (before[i] ?? 0),
    peakBytes: peakBytes(pid),
  }));
  if (stage === 'searchable') await checkTotal(state, corpus);
  // The profiler's own sampling never rests.
  if (conditions.profiles === null) await waitForRest(processes.map(({ pid }) => pid));
  const atRest = used(processes);
  const disk = {
    vault: bytesBelow(state.vault),
    ...(stage === 'searchable' ? { index: bytesBelow(state.index) } : {}),
    intake: bytesBelow(state.intake),
  };
  await sender.end();
  if (stage === 'searchable') await checkSearch(state, corpus);
  await stopInOrder(processes);
  return {
    contender,
    reached,
    wallSeconds: Number(ended - BigInt(started)) / 1e9,
    cpuSeconds: sum(each.map((one) => one.cpuSeconds)),
    cpuSecondsAtRest: atRest - sum(before),
    peakBytes: sum(each.map((one) => one.peakBytes)),
    disk,
    diskBytes: sum(Object.values(disk)),
    hottest: whereTimeWent(stage, conditions, started),
    processes: Object.fromEntries(
      processes.map(({ name }, i) => [name, each[i] ?? { cpuSeconds: 0, peakBytes: 0 }]),
    ),
    count: countVault(state, corpus, size ?? vaultSize(state)),
  };
};

const whereTimeWent = (stage: Stage, { profiles }: Conditions, started: string): string | null =>
  profiles === null ? null : hottest(profiles, stage, Number(started) / 1000);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const used = (processes: Installation['processes']): number =>
  sum(processes.map(({ pid }) => cpuSeconds(pid)));

const stopInOrder = async (processes: Installation['processes']): Promise<void> => {
  for (const child of processes) await child.stop(stopMs);
};
