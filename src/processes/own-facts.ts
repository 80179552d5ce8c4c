import { collectServices, newMemory, packageFinder } from '#inspect';
import type { Fact } from '#ship';
import { doorFacts } from './service-facts.ts';

const scanEveryMs = 5_000;

/** Facts of this host by looking at it oneself, at most every five seconds. */
export const ownFacts = (): (() => Promise<readonly Fact[]>) => {
  const packages = packageFinder();
  const memory = newMemory();
  const doors = doorFacts();
  let last: { at: number; facts: readonly Fact[] } | null = null;
  return async () => {
    const now = performance.now();
    if (last !== null && now - last.at < scanEveryMs) return last.facts;
    const facts = await doors.factsOf(await collectServices({ packages, memory }), null);
    last = { at: now, facts };
    return facts;
  };
};
