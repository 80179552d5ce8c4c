import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openVault } from '#vault/read';
import { segmentPath } from '#vault/tree';
import { answered, answerTo, ask, leaveRequest, whileKept } from '../testing/asking.ts';
import { delivery, vaultFor, withCode } from '../testing/test-vault.ts';
import {
  expire,
  redact,
  twoBatches,
  done,
  refused,
  assertGood,
  rawLine,
  filesWith,
  none,
  lockOf,
  untilNothingToRemove,
} from '../testing/amended-vault.ts';

describe('redaction', () => {
  it('takes line, salt and key out of everything that the keeper has; neighbours stay provable', async (t) => {
    const made = vaultFor(t);
    await twoBatches(made);
    assert.deepEqual(
      filesWith(made, 'hunter2').map((path) => path.slice(made.root.length)),
      ['/vault/segment/001.zst'],
    );
    const first = done(await ask(made, redact(1, 2)));
    assert.deepEqual(first.notes, []);
    assert.deepEqual(filesWith(made, 'hunter2'), []);
    assert.deepEqual(
      made.files().filter((path) => path.startsWith('segment/')),
      [segmentPath(1, first.entry), segmentPath(3)],
    );
    const vault = openVault(made.vault, { vkey: made.vkey });
    assert.equal(vault.batch(1, 'root').key, null);
    assert.deepEqual([rawLine(made, 1, 1), rawLine(made, 1, 3)], ['one', 'three']);
    for (const line of [0, 1, 3]) assert.ok(vault.prove(1, line));
    assert.throws(() => vault.prove(1, 2), withCode('redacted'));
    await assertGood(made);

    assert.equal(refused(await ask(made, redact(1, 2))), 'redacted');
    const second = done(await ask(made, redact(1, 1)));
    assert.deepEqual(
      made.files().filter((path) => path.startsWith('segment/')),
      [segmentPath(1, second.entry), segmentPath(3)],
    );
    assert.equal(rawLine(made, 1, 3), 'three');
    await assertGood(made);

    // A batch of which lines were redacted can expire, too.
    done(await ask(made, expire(0, 2)));
    assert.deepEqual(
      made.files().filter((path) => path.startsWith('segment/')),
      [segmentPath(3)],
    );
    await assertGood(made);
  });

  it('asks the receiver to leave the file that has the line, and says so while it does not', async (t) => {
    const made = vaultFor(t);
    const file = made.receive(delivery('my secret is hunter2\n'));
    await made.keep();
    const id = leaveRequest(made, redact(1, 1));
    await whileKept(made, async () => {
      for (let waited = 0; !existsSync(join(made.intake, `${file}.leave`)); waited += 5) {
        assert.ok(waited < 60_000);
        await sleep(5);
      }
      assert.equal(answerTo(made, id), null, 'not reported as done while intake has it');
      // As a receiver that goes on in another file.
      made.receive();
      await answered(made, id);
    });
    assert.deepEqual(done(answerTo(made, id) ?? none).notes, []);
    assert.deepEqual(filesWith(made, 'hunter2'), []);
    assert.ok(!readdirSync(made.intake).some((name) => name.endsWith('.leave')));
    await assertGood(made);
  });

  it('goes on with intake after a stop that came too early', async (t) => {
    const made = vaultFor(t);
    made.receive(delivery('my secret is hunter2\n'));
    await made.keep();
    const id = leaveRequest(made, redact(1, 1));
    await whileKept(made, async () => {
      while (!existsSync(join(made.keys, 'requests', `${id}.taken`))) await sleep(3);
      while (existsSync(join(made.vault, segmentPath(1)))) await sleep(3);
    });
    const answer = done(answerTo(made, id) ?? none);
    assert.match(answer.notes.join(), /still holds what came in with it/);
    assert.match(
      readFileSync(join(made.keys, 'lock'), 'latin1'),
      new RegExp(`^removing ${answer.entry}$`, 'm'),
    );
    made.receive();
    await whileKept(made, async () => {
      await untilNothingToRemove(made);
      assert.deepEqual(filesWith(made, 'hunter2'), []);
    });
    assert.doesNotMatch(lockOf(made), /^answering/m);
    await assertGood(made);
  });
});
