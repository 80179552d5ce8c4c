import assert from 'node:assert/strict';
import { asProcess, watchCalls, type Call, type Verdict } from './faulty-calls.ts';
import { checkTree } from './oracle.ts';
import { inMemory, type TestVault } from './test-vault.ts';

/** What a keeper does, in steps: each is a life of it, or of something that writes as it does. */
export type Scenario = {
  name: string;
  /** The state in which it begins. */
  begin(): Promise<TestVault>;
  steps: readonly ((made: TestVault) => Promise<void>)[];
  /** The last life, without a fault, after which everything must be done; `keep` where there is none. */
  finish?: (made: TestVault) => Promise<void>;
  /** Which commit takes what depends on who is quicker, so some calls are not made each time; and it takes long. */
  isTimed?: true;
};

/** One system call of a scenario, and what happens to it. */
export type Fault = {
  name: string;
  /** Which of the calls of this name, from 0. */
  occurrence: number;
  verdict: Exclude<Verdict, 'run'>;
};

export const describeFault = ({ name, occurrence, verdict }: Fault): string =>
  `${verdict.code} ${verdict.how} at ${name} #${occurrence}`;

/** What can happen to a call. A synced directory or file can lack space too, where it is allocated late. */
export const verdictsFor = (kind: Call['kind']): Fault['verdict'][] => {
  const always: Fault['verdict'][] = [
    { how: 'fail', code: 'EIO' },
    { how: 'persisted', code: 'EIO' },
    { how: 'fail', code: 'ENOSPC' },
  ];
  switch (kind) {
    case 'write':
      return [
        ...always,
        { how: 'persisted', code: 'ENOSPC' },
        { how: 'fail', code: 'EDQUOT' },
        { how: 'short', code: 'ENOSPC' },
        { how: 'short', code: 'EIO' },
      ];
    case 'create':
    case 'place':
      return [...always, { how: 'persisted', code: 'ENOSPC' }, { how: 'fail', code: 'EDQUOT' }];
    case 'sync':
    case 'remove':
    case 'other':
      return always;
  }
};

/** Not the keeper's: a receiver writes beside it, and whoever asks for something. */
export const isOthers = ({ name }: Call): boolean =>
  /\.asked\.intake$|^writeFile .*\.intake$|^rename keys\/requests\/<id>\.json$/.test(name);

/** Every fault that can be injected into a scenario: each call, each occurrence, each way to fail. */
export const listFaults = async (scenario: Scenario, image: TestVault): Promise<Fault[]> => {
  const faults: Fault[] = [];
  const seen = new Map<string, number>();
  const made = image.copy(inMemory());
  const watch = watchCalls(made.root, (call) => {
    if (isOthers(call)) return 'run';
    const occurrence = seen.get(call.name) ?? 0;
    seen.set(call.name, occurrence + 1);
    for (const verdict of verdictsFor(call.kind)) faults.push({ name: call.name, occurrence, verdict });
    return 'run';
  });
  try {
    for (const step of scenario.steps) {
      await step(made);
      await checkTree(made, 'kept', `${scenario.name}, without a fault`);
    }
  } finally {
    watch.end();
    made.remove();
  }
  return faults;
};

/**
 * Goes through a scenario with one fault. Whoever it kills is thrown away and the next step begins on the same
 * directories; in the end everything must have been taken.
 * @returns whether the call was made at all, and by that the fault injected
 */
export const runFault = async (scenario: Scenario, image: TestVault, fault: Fault): Promise<boolean> => {
  const made = image.copy(inMemory());
  const note = `${scenario.name}: ${describeFault(fault)}`;
  let seen = 0;
  let injected = false;
  const watch = watchCalls(made.root, (call) => {
    if (call.name !== fault.name || isOthers(call) || seen++ !== fault.occurrence) return 'run';
    injected = true;
    return fault.verdict;
  });
  try {
    for (const [i, step] of scenario.steps.entries()) {
      await asProcess(() => step(made)).catch((error: unknown) => {
        if (!injected) throw error;
      });
      await checkTree(made, 'died', `${note}, after step ${i}`);
    }
    watch.end();
    await (scenario.finish ?? ((other: TestVault) => other.keep()))(made);
    const { left } = await checkTree(made, 'kept', note);
    assert.equal(left, 0, `lines still in intake, ${note}`);
    return injected;
  } catch (error) {
    throw new Error(`${note}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    watch.end();
    made.remove();
  }
};

/** Deterministic: the same seed gives the same order. */
export const shuffled = <T>(items: readonly T[], seed: number): T[] => {
  const found = [...items];
  let state = seed >>> 0;
  const below = (n: number): number => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
  for (let i = found.length - 1; i > 0; i--) {
    const j = below(i + 1);
    const [one, other] = [found[i], found[j]];
    if (one === undefined || other === undefined) continue;
    found[i] = other;
    found[j] = one;
  }
  return found;
};
