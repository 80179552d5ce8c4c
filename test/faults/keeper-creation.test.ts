import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '#base/clock';
import { createVault } from '#vault/append';
import { verdictsFor, type Fault } from '../../src/vault/testing/fault-run.ts';
import { watchCalls } from '../../src/vault/testing/faulty-calls.ts';
import { checkTree } from '../../src/vault/testing/oracle.ts';
import { delivery, inMemory, testVaultAt } from '../../src/vault/testing/test-vault.ts';

const clock = systemClock();

describe('a system call of the making of a vault fails', () => {
  it('and the next start has a vault with one key, or begins again, at every call', async (t) => {
    const injected = async (at: number, verdict: Fault['verdict']): Promise<Fault['verdict'][] | null> => {
      const root = mkdtempSync(join(inMemory(), 'holdfast-creation-'));
      mkdirSync(join(root, 'intake'));
      const places = { vault: join(root, 'vault'), keys: join(root, 'keys') };
      let calls = 0;
      let possible: Fault['verdict'][] | null = null;
      let name = '';
      const watch = watchCalls(root, (call) => {
        if (calls++ !== at) return 'run';
        possible = verdictsFor(call.kind);
        name = call.name;
        return verdict;
      });
      try {
        const isMade = (): boolean => existsSync(join(places.keys, 'lock'));
        const note = `${verdict.code} ${verdict.how} at call ${at}, ${name}`;
        try {
          createVault({ ...places, clock });
        } catch (error) {
          assert.ok(possible !== null && error instanceof Error, note);
        }
        watch.end();
        if (!isMade()) createVault({ ...places, clock });
        const made = testVaultAt(root);
        made.receive(delivery('one\n'));
        await made.keep();
        assert.equal((await checkTree(made, 'kept', `${note}, ${name}`)).left, 0);
        return possible;
      } finally {
        watch.end();
        rmSync(root, { recursive: true });
      }
    };
    let count = 0;
    for (let at = 0; ; at++) {
      const possible = await injected(at, { how: 'fail', code: 'EIO' });
      if (possible === null) break;
      count += 1;
      for (const verdict of possible.slice(1)) {
        await injected(at, verdict);
        count += 1;
      }
    }
    t.diagnostic(`${count} faults injected`);
    assert.ok(count > 100, `${count} faults`);
  });
});
