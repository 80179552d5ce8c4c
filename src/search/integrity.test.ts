import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveVault, type ServedVault } from './testing/served-vault.ts';

const flipLastByte = (file: string): void => {
  const bytes = readFileSync(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(file, bytes);
};

describe('the verdict on integrity', () => {
  let served: ServedVault;
  let isKeyThere = false;

  before(async () => {
    served = await serveVault([{ raw: 'first entry' }], {
      readKey: () => (isKeyThere ? served.grown.readKey() : { missing: 'the public key was taken away' }),
    });
    await served.add([{ raw: 'second entry' }]);
    for (let i = 0; i < 70; i += 1) await served.grown.grow([{ raw: `many ${i}` }]);
    await served.add([{ raw: 'last entry' }]);
  });
  after(() => served.remove());

  const integrity = async (query: string, limit = 100): Promise<{ verdict: string; detail: string }> =>
    (await served.find(query, { limit })).answer.integrity;

  it('is unknown without the public key, and takes it once it is there', async () => {
    const without = await integrity('first');
    assert.equal(without.verdict, 'unknown');
    assert.match(without.detail, /the public key was taken away/);
    isKeyThere = true;
    assert.equal((await integrity('first')).verdict, 'unaltered');
  });

  it('says what was looked at again and when, and no more', async () => {
    const one = await integrity('first');
    assert.equal(one.verdict, 'unaltered');
    assert.match(
      one.detail,
      /matched its checkpointed hash when it was indexed; the stored bytes of the 1 entry with lines shown were found to match again at \d{4}-/,
    );
    const none = await integrity('first', 0);
    assert.equal(none.verdict, 'unaltered');
    assert.match(none.detail, /when it was indexed; no line is shown, so nothing was looked at again$/);
    const many = await integrity('many');
    assert.equal(many.verdict, 'unaltered');
    assert.match(many.detail, /the stored bytes of 64 of the 70 entries with lines shown/);
  });

  it('sees one byte of a segment changed after it was indexed, and only there', async () => {
    const file = served.grown.segmentFile(1);
    const whole = readFileSync(file);
    assert.equal((await integrity('second')).verdict, 'unaltered');
    flipLastByte(file);
    const found = await integrity('second');
    assert.equal(found.verdict, 'altered');
    assert.match(found.detail, /entry 1, of which lines are shown, is no longer what was committed/);
    assert.equal((await integrity('first')).verdict, 'unaltered');
    writeFileSync(file, whole);
    assert.equal((await integrity('second')).verdict, 'unaltered');
  });

  it('does not take a segment that is gone for whole', async () => {
    const file = served.grown.segmentFile(1);
    renameSync(file, `${file}.away`);
    assert.equal((await integrity('second')).verdict, 'altered');
    renameSync(`${file}.away`, file);
  });

  it('sees a checkpoint that was not signed by the vault', async () => {
    const file = join(served.grown.vault, 'checkpoint');
    const note = readFileSync(file);
    const forged = Buffer.from(note);
    const at = forged.length - 10;
    forged[at] = forged[at] === 65 ? 66 : 65;
    writeFileSync(file, forged);
    assert.equal((await integrity('first')).verdict, 'altered');
    writeFileSync(file, note);
    for (const limit = performance.now() + 60_000; served.index.state().trouble !== null; await sleep(20))
      assert.ok(performance.now() < limit, 'the trouble stays');
    assert.equal((await integrity('first')).verdict, 'unaltered');
  });
});
