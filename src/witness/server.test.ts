import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { formatVkey, openCosignature, parseVkey, signNote } from '#vault/checkpoint';
import { emptyRoot } from '#vault/tree';
import { addCheckpoint } from './answer.ts';
import { parsePlace } from './http.ts';
import { originHash } from './layout.ts';
import { askRemembered, pushCheckpoint } from './push.ts';
import { formatSubmission, parseSubmission } from './submission.ts';
import { cosignedSize, serve, type Served } from './testing/served-witness.ts';
import { newTestLog, newTestWitness, type TestLog } from './testing/test-log.ts';

describe('add-checkpoint', () => {
  it('200: cosigns the first, the next, and the same again with a new time', async (t) => {
    const { log, witness, clock, post } = await serve(t);
    for (const [old, size] of [
      [0, 0],
      [0, 3],
      [3, 8],
      [8, 8],
      [8, 300],
    ] as const) {
      clock.set(1_700_000_000 + old + size);
      const { status, body, type } = await post(log.submission(old, size));
      assert.equal(status, 200, body.toString());
      assert.match(type, /^text\/plain/);
      assert.match(body.toString(), /^— witness\.example\/w1 \S+\n$/);
      const cosigned = Buffer.concat([log.note(size), body]);
      assert.equal(openCosignature(cosigned, witness.vkey), 1_700_000_000 + old + size);
    }
  });

  it('400: no request, or the old size is larger than the checkpoint', async (t) => {
    const { log, witness, post } = await serve(t);
    const note = log.note(3).toString();
    const hash = log.root(1).toString('base64');
    for (const bad of [
      '',
      'old 0\n',
      `old 0\n${note}`,
      `old 00\n\n${note}`,
      `old -1\n\n${note}`,
      `old 0x1\n\n${note}`,
      `old\n\n${note}`,
      `OLD 0\n\n${note}`,
      `old 0 \n\n${note}`,
      `old 0\r\n\r\n${note}`,
      `old 1\n${hash.slice(4)}\n\n${note}`,
      `old 1\n${hash} \n\n${note}`,
      `old 1\n${hash.replace('=', '')}\n\n${note}`,
      `old 1\n${`${hash}\n`.repeat(64)}\n${note}`,
      `old 0\n\n${note.trimEnd()}`,
      `old 0\n\n${note}\n`,
      `old 0\n\n\n${note}`,
      `old 9007199254740993\n\n${note}`,
    ])
      assert.equal((await post(bad)).status, 400, JSON.stringify(bad));
    assert.equal((await post(formatSubmission(4, [], log.note(3)))).status, 400);
    assert.equal(cosignedSize(witness, log), 0);
  });

  it('403: not signed by a key of the log; a bad signature by it spoils the note, unknown ones do not', async (t) => {
    const { log, post } = await serve(t);
    const stranger = newTestLog(log.origin);
    assert.equal((await post(stranger.submission(0, 3))).status, 403);
    const spoilt = log
      .note(3)
      .toString()
      .replace(log.root(3).toString('base64'), log.root(4).toString('base64'));
    assert.equal((await post(`old 0\n\n${spoilt}`)).status, 403);
    const foreign = stranger.note(3).toString().split('\n').at(-2) ?? '';
    const both = `old 0\n\n${log.note(3).toString()}${foreign}\n`;
    const { status, body } = await post(both);
    assert.equal(status, 200);
    assert.equal(body.toString().split('\n').length, 2);
  });

  it('404: an origin that it does not know', async (t) => {
    const { post } = await serve(t);
    assert.equal((await post(newTestLog('other.example/0').submission(0, 3))).status, 404);
  });

  it('409: another old size, with the right one as the body', async (t) => {
    const { log, post } = await serve(t);
    const first = await post(formatSubmission(2, log.proof(2, 5), log.note(5)));
    assert.deepEqual([first.status, first.type, first.body.toString()], [409, 'text/x.tlog.size', '0\n']);
    assert.equal((await post(log.submission(0, 5))).status, 200);
    for (const [old, size] of [
      [0, 9],
      [3, 9],
      [6, 9],
      [3, 3],
      [0, 0],
    ] as const) {
      const { status, type, body } = await post(log.submission(old, size));
      assert.deepEqual([status, type, body.toString()], [409, 'text/x.tlog.size', '5\n'], `${old} ${size}`);
    }
  });

  it('422: a proof that does not lead there, or one where there is none to give', async (t) => {
    const { log, witness, post } = await serve(t);
    assert.equal((await post(formatSubmission(0, [log.root(1)], log.note(3)))).status, 422);
    const { body } = await post(log.submission(0, 3));
    assert.ok(body.length > 0);
    const proof = log.proof(3, 9);
    for (const wrong of [
      [],
      proof.slice(1),
      proof.toReversed(),
      [...proof, log.root(1)],
      log.proof(4, 9),
      Array.from({ length: 63 }, () => log.root(2)),
    ])
      assert.equal((await post(formatSubmission(3, wrong, log.note(9)))).status, 422);
    assert.equal((await post(formatSubmission(3, [log.root(1)], log.note(3)))).status, 422);
    assert.equal((await post(formatSubmission(3, proof, log.branch(2).note(9)))).status, 422);
    assert.equal(cosignedSize(witness, log), 3);
    // None of this convicts the log: anybody could have sent it.
    assert.equal((await post(log.submission(3, 9))).status, 200);
  });

  it('422: a checkpoint of size 0 with a root', async (t) => {
    const { log, post } = await serve(t);
    const text = `${log.origin}\n0\n${log.root(2).toString('base64')}\n`;
    assert.notDeepEqual(log.root(2), emptyRoot);
    const stranger = newTestLog(log.origin);
    assert.equal((await post(stranger.submission(0, 0))).status, 403);
    const own = await serveSigned(t, text);
    assert.equal(own, 422);
  });

  it('409 and then 503: two roots at one size convict the log, whatever old size they are brought with', async (t) => {
    for (const old of [0, 5]) {
      const { log, witness, said, post } = await serve(t);
      assert.equal((await post(log.submission(0, 5))).status, 200);
      const { status, type } = await post(formatSubmission(old, [], log.branch(2).note(5)));
      assert.equal(status, 409);
      assert.equal(type.startsWith('text/x.tlog.size'), old !== 5);
      assert.equal((await post(log.submission(5, 9))).status, 503);
      assert.match(witness.stopped(log.origin) ?? '', /two roots at size 5/);
      assert.ok(said.some((line) => line.startsWith('error: ALARM')));
    }
  });

  it('accepts either key while the log changes its key, and keeps both signatures', async (t) => {
    const log = newTestLog();
    const next = newTestLog(log.origin);
    const made = await newTestWitness(t, log, next);
    const witness = await made.open();
    t.after(() => witness.close());
    const lines = [log, next].map((one) => one.note(3).toString().split('\n').at(-2));
    const note = Buffer.from(`${log.note(3).toString().split('\n\n')[0]}\n\n${lines.join('\n')}\n`);
    const both = await witness.consider(parseSubmission(formatSubmission(0, [], note)));
    assert.equal(both.outcome, 'cosigned');
    assert.equal(witness.seen(log.origin)?.note.toString().split('\n').length, 8);
    const outcome = await witness.consider(parseSubmission(next.submission(3, 9)));
    assert.equal(outcome.outcome, 'cosigned');
  });
});

/** The status that a witness gives to a text signed by the one log that it knows. */
const serveSigned = async (t: TestContext, text: string): Promise<number> => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const vkey = parseVkey(formatVkey(text.split('\n')[0] ?? '', publicKey));
  const made = await newTestWitness(t, { ...newTestLog(vkey.name), vkey });
  const witness = await made.open();
  t.after(() => witness.close());
  const note = signNote(text, { name: vkey.name, keyId: vkey.keyId, privateKey });
  return (await addCheckpoint(witness, formatSubmission(0, [], note))).status;
};

describe('what is remembered', () => {
  it('is shown under the hash of the origin, with the signatures of the log and the witness', async (t) => {
    const { log, witness, server, get, post } = await serve(t);
    const path = `/${originHash(log.origin)}/checkpoint`;
    assert.equal((await get(path)).status, 404);
    await post(log.submission(0, 5));
    const { status, body } = await get(path);
    assert.equal(status, 200);
    assert.equal(openCosignature(body, witness.vkey), 1_700_000_000);
    const place = parsePlace(`http://127.0.0.1:${server.port}`);
    const found = await askRemembered({ place, origin: log.origin, logKeys: [log.vkey] });
    assert.deepEqual([found?.head.size, found?.head.root], [5, log.root(5)]);
    const older = { place, origin: log.origin, logKeys: [newTestLog(log.origin).vkey] };
    await assert.rejects(askRemembered(older), { code: 'bad-answer' });
    const vouched = await askRemembered({ ...older, vkey: witness.vkey });
    assert.deepEqual(vouched?.note, body, 'the witness vouches for a log key that is not known');
    const other = await (await newTestWitness(t, log)).open();
    t.after(() => other.close());
    await assert.rejects(askRemembered({ ...older, vkey: other.vkey }), { code: 'bad-answer' });
    assert.equal(await askRemembered({ place, origin: 'other.example/0', logKeys: [log.vkey] }), null);
    for (const nothing of ['/', '/checkpoint', `/${'0'.repeat(64)}/checkpoint`, `${path}/`, `/${path}`])
      assert.equal((await get(nothing)).status, 404, nothing);
  });
});

describe('pushing', () => {
  const push = (served: Served, log: TestLog, size: number, known = 0) =>
    pushCheckpoint({
      place: parsePlace(`http://127.0.0.1:${served.server.port}/`),
      vkey: served.witness.vkey,
      note: log.note(size),
      size,
      known,
      proofFor: async (old) => log.proof(old, size),
    });

  it('begins where the witness says, and believes only its cosignature', async (t) => {
    const served = await serve(t);
    const { log, witness } = served;
    assert.equal((await push(served, log, 3)).result, 'cosigned');
    const second = await push(served, log, 9);
    assert.equal(second.result, 'cosigned');
    assert.equal(
      second.result === 'cosigned' && openCosignature(second.cosigned, witness.vkey),
      1_700_000_000,
    );
    assert.equal((await push(served, log, 9, 9)).result, 'cosigned');
    assert.equal((await push(served, log, 20, 12)).result, 'cosigned');
    const other = await newTestWitness(t, log);
    const wrong = await other.open();
    t.after(() => wrong.close());
    await assert.rejects(
      push({ ...served, witness: wrong }, log, 20, 20),
      { code: 'bad-answer' },
      'another witness of the same name answers',
    );
  });

  it('tells a witness that is ahead, a fork, a refusal and silence apart', async (t) => {
    const served = await serve(t);
    const { log } = served;
    await push(served, log, 9);
    assert.deepEqual(await push(served, log, 4), { result: 'ahead', size: 9 });
    assert.equal((await push(served, log.branch(3), 12)).result, 'forked');
    assert.equal((await push(served, newTestLog('unknown.example/0'), 3)).result, 'refused');
    assert.equal((await push(served, log.branch(3), 9)).result, 'forked');
    await served.server.stop();
    await assert.rejects(push(served, log, 12), { code: 'away' });
  });

  it('quotes what a witness answers without the end of its line', async (t) => {
    const served = await serve(t);
    const refused = await push(served, newTestLog('unknown.example/0'), 3);
    assert.match(
      refused.result === 'refused' ? refused.why : '',
      /404: this witness does not know the origin$/,
    );
  });
});
