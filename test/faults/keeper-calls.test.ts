import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  describeFault,
  listFaults,
  runFault,
  shuffled,
  type Fault,
} from '../../src/vault/testing/fault-run.ts';
import { scenarios } from '../../src/vault/testing/scenarios.ts';
import type { TestVault } from '../../src/vault/testing/test-vault.ts';

/**
 * Every call by which the keeper changes a file fails once, at every occurrence, in every way; then another keeper goes
 * on with what is there, and the whole tree is looked at. HOLDFAST_TEST_FULL=1 for all of them, else a sample;
 * HOLDFAST_TEST_SEED for another one.
 */
const isFull = process.env['HOLDFAST_TEST_FULL'] === '1';
const seed = Number(process.env['HOLDFAST_TEST_SEED'] ?? 1);
const sample = 40;
/** Of a scenario that waits for polls: in the full run, and else. */
const timed = { full: 800, sample: 16 };
/** Vaults that are worked on at once: a keeper mostly waits. */
const lanes = 6;

describe('a system call of the keeper fails', () => {
  for (const scenario of scenarios) {
    describe(scenario.name, () => {
      let image: TestVault;
      let faults: Fault[] = [];
      before(async () => {
        image = await scenario.begin();
        faults = await listFaults(scenario, image);
      });
      after(() => image.remove());

      it('and nothing is lost, doubled, or signed without being stored', async (t) => {
        const most = scenario.isTimed ? timed[isFull ? 'full' : 'sample'] : isFull ? Infinity : sample;
        const chosen = shuffled(faults, seed).slice(0, most);
        const missed: string[] = [];
        const began = performance.now();
        const todo = [...chosen];
        const lane = async (): Promise<void> => {
          for (let fault = todo.pop(); fault !== undefined; fault = todo.pop())
            if (!(await runFault(scenario, image, fault))) missed.push(describeFault(fault));
        };
        await Promise.all(Array.from({ length: lanes }, lane));
        const seconds = ((performance.now() - began) / 1000).toFixed(1);
        t.diagnostic(
          `${scenario.name}: ${chosen.length - missed.length} faults injected of ${faults.length}, seed ${seed}, ${seconds} s`,
        );
        assert.ok(faults.length > 100, `${faults.length} faults`);
        const tolerated = scenario.isTimed ? chosen.length / 3 : 0;
        assert.ok(missed.length <= tolerated, `never made, though once listed:\n${missed.join('\n')}`);
      });
    });
  }
});
