import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { cosign, formatWitnessVkey, parseNote, parseWitnessVkey } from '#vault/checkpoint';
import { openAppender } from '#vault/append';
import { openVault } from '#vault/read';
import { encodeRedacted, segmentPath, sha256 } from '#vault/tree';
import { keyFromSeed } from '../../vault/testing/proof-log.ts';
import {
  beats,
  delivery,
  newTestVault,
  openTest,
  vaultFor,
  type TestVault,
} from '../../vault/testing/test-vault.ts';
import { Exit } from '../exit.ts';
import { runProgram } from '../program.ts';
import { testIo } from '../test-io.ts';
import { vaultCheck } from './check.ts';
import { vaultProve } from './prove.ts';

const hostile = '<34>\u001b[2J\u009b2J\u202egpj.exe\u0007';

describe('vault prove and vault check', () => {
  let made: TestVault;
  let dir: string;
  const run = async (...argv: string[]) => {
    const io = testIo();
    const status = await runProgram(
      ['vault', ...argv],
      { 'vault prove': async () => vaultProve, 'vault check': async () => vaultCheck },
      io,
      '0',
    );
    return { status, ...io.written };
  };
  const prove = (...argv: string[]) => run('prove', '--state', made.root, ...argv);
  /** Proves a line into a file of its own, and names it. */
  const proven = async (address: string): Promise<string> => {
    const file = join(dir, `${address.replace(':', '-')}.tlog-proof`);
    const { status, err } = await prove(address, '-o', file);
    assert.equal(status, Exit.done, err);
    return file;
  };

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'holdfast-prove-'));
    made = newTestVault();
    made.receive(
      delivery(`one\n${hostile}\n`, { sequence: 41, stream: 'agent-7', tlsName: 'web1.example' }),
      delivery(Buffer.from([0xff, 0x00, 0x80, 0x0a])),
    );
    await made.keep();
    const appender = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock });
    await appender.commit(beats(300), appender.intake());
    appender.close();
  });
  after(() => {
    made.remove();
    rmSync(dir, { recursive: true });
  });

  it('every line of a batch, the manifest too, to standard output or into a file', async () => {
    for (const address of ['1:0', '1:1', '1:2', '1:3', '1:2/5']) {
      const { status, out } = await prove(address);
      assert.equal(status, Exit.done);
      const file = join(dir, 'line.tlog-proof');
      const written = await prove(address, '-o', file);
      assert.equal(readFileSync(file, 'utf8'), out, address);
      assert.ok(written.out.includes(file));
      const { status: checked, out: report } = await run('check', file, '--key', made.vkey);
      assert.equal(checked, Exit.done, report);
      assert.match(
        report,
        /^<green>PROVEN<\/green>: the log test\.example\/holdfast\/0 holds this line at 1:\d\n/,
      );
    }
    const part = await prove('1:2/5');
    assert.match(
      part.err,
      /^This read is not recorded: nobody takes lines .*\nThis proves all of 1:2 as it was received\. Whether part 5 is in it is not looked at here: 'holdfast logs search address:1:2\/5' shows it\.\n$/,
    );
    assert.equal(part.out, (await prove('1:2')).out);
    const { part: named, partLookedAt } = JSON.parse((await prove('1:2/5', '--json')).out);
    assert.deepEqual([named, partLookedAt], [5, false]);
    const json = await prove('1:1', '--json');
    assert.equal(JSON.parse(json.out).proof, (await prove('1:1')).out);
  });

  it('says in plain words what is proven and what is not, and nothing in it drives the terminal', async () => {
    const file = await proven('1:2');
    const { out } = await run('check', file, '--key', join(made.keys, 'vault.vkey'));
    const flat = out.replace(/\s+/g, ' ');
    for (const said of [
      '\\x1b[2J\\x9b2J\\u202egpj.exe\\x07',
      'received 2026-05-12T03:00:00.000001Z',
      'listener syslog-tcp=127.0.0.1:5514',
      'peer 192.0.2.7:51234, certificate of web1.example',
      'number 42 of the sender’s stream agent-7',
      'line 2 of the 4 (0 to 3) of entry 1',
      'checkpoint of size 302',
      'signed by test.example/holdfast/0 (key ',
      'Not shown by this: - that what the line says is true',
      'nothing is missing before or after',
      'the same: a witness can say so',
      'newest',
    ])
      assert.ok(flat.includes(said), `${said}\n${out}`);
    assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    const json = JSON.parse((await run('check', file, '--key', made.vkey, '--json')).out);
    assert.equal(json.proven, true);
    assert.equal(Buffer.from(json.claim.raw, 'base64').toString(), hostile);
    assert.deepEqual([json.claim.address, json.claim.sequence], ['1:2', '42']);
  });

  it('claims nothing without a key, and not with a wrong one', async () => {
    const file = await proven('1:1');
    const without = await run('check', file);
    assert.equal(without.status, Exit.usage);
    assert.match(without.out, /NOTHING IS PROVEN/);
    assert.match(
      without.out.replace(/\s+/g, ' '),
      /signed by test\.example\/holdfast\/0 \(key [0-9a-f]{8}\)/,
    );
    assert.doesNotMatch(without.out, /(?<!IS )PROVEN<|green/);
    const stranger = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    const wrong = await run('check', file, '--key', stranger);
    assert.equal(wrong.status, Exit.bad);
    assert.match(wrong.out, /NOT PROVEN<\/red>: the signature/);
    for (const bad of ['nonsense', made.vkey.slice(0, -1), join(made.vault, 'checkpoint')])
      assert.equal((await run('check', file, '--key', bad)).status, Exit.usage, bad);
    assert.equal((await run('check', join(dir, 'missing'), '--key', made.vkey)).status, Exit.couldNotLook);
  });

  it('names the step that fails, with status 1', async () => {
    const text = readFileSync(await proven('1:1'), 'utf8');
    const file = join(dir, 'tampered');
    const cases: readonly (readonly [string, string])[] = [
      [text.replace(/^index 1$/m, 'index 2'), 'from the batch to the log'],
      [text.replace('\n302\n', '\n303\n'), 'the signature'],
      [text.replace('\n302\n', '\n602\n'), 'from the batch to the log'],
      [text.replace('tlog-proof@v1', 'tlog-proof@v2'), 'the form of the file'],
      [`${text}\n`, 'the form of the file'],
    ];
    for (const [tampered, step] of cases) {
      writeFileSync(file, tampered);
      const { status, out } = await run('check', file, '--key', made.vkey);
      assert.equal(status, Exit.bad);
      assert.ok(out.startsWith(`<red>NOT PROVEN</red>: ${step}`), out);
      const unkeyed = step === 'the signature' ? Exit.usage : Exit.bad;
      assert.equal((await run('check', file)).status, unkeyed, 'without a key');
      const json = JSON.parse((await run('check', file, '--key', made.vkey, '--json')).out);
      assert.deepEqual([json.proven, typeof json.reason], [false, 'string']);
    }
  });

  it('gives no proof of what is not there, or was altered, and says which', async () => {
    const refusals: readonly (readonly [string, RegExp, Exit])[] = [
      ['1:4', /entry 1 has lines 0 to 3, no line 4/, Exit.couldNotLook],
      ['0:0', /entry 0 of .* is no batch/, Exit.couldNotLook],
      ['900:1', /not committed/, Exit.couldNotLook],
      ['9999999999999999:1', /no address of a line/, Exit.usage],
      ['1', /no address of a line/, Exit.usage],
      ['other-vault/1:2', /no address of a line of this vault/, Exit.usage],
      ['01:1', /no address of a line/, Exit.usage],
      ['1:-1', /no address of a line/, Exit.usage],
    ];
    for (const [address, message, expected] of refusals) {
      const { status, out, err } = await prove(address);
      assert.deepEqual([status, out], [expected, ''], address);
      assert.match(err, message);
    }
    const nowhere = await run('prove', '--state', join(dir, 'nowhere'), '1:1');
    assert.match(nowhere.err, /there is no vault in/);
    const path = 'segment/001.zst';
    const original = made.read(path);
    const changed = Buffer.from(original);
    changed[original.length - 1] = (changed[original.length - 1] ?? 0) ^ 1;
    made.write(path, changed);
    const altered = await prove('1:1');
    made.write(path, original);
    assert.deepEqual([altered.status, altered.out], [Exit.couldNotLook, '']);
    assert.match(altered.err, /altered/);
  });

  it('takes a checkpoint with cosignatures where there is one that holds', async () => {
    const privateKey = keyFromSeed(Buffer.alloc(32, 9));
    const vkey = formatWitnessVkey('witness.example/w1', createPublicKey(privateKey));
    const note = made.read('checkpoint');
    const witness = { vkey: parseWitnessVkey(vkey), privateKey };
    const line = cosign({ text: parseNote(note).text, witness, time: 1_778_554_900 });
    made.write('checkpoint.witnessed', Buffer.concat([note, Buffer.from(line)]));
    try {
      const file = await proven('1:1');
      const unasked = await run('check', file, '--key', made.vkey);
      assert.match(unasked.out.replace(/\s+/g, ' '), /witness\.example\/w1 \(key [0-9a-f]{8}\): NOT checked/);
      const asked = await run('check', file, '--key', made.vkey, '--witness', vkey);
      assert.equal(asked.status, Exit.done);
      assert.match(asked.out.replace(/\s+/g, ' '), /cosigned by witness.* at 2026-05-12T03:01:40Z: checked/);
      made.write('checkpoint.witnessed', Buffer.from(note.toString().replace('\n302\n', '\n301\n')));
      const plain = await run('check', await proven('1:1'), '--key', made.vkey, '--witness', vkey);
      assert.equal(plain.status, Exit.bad);
      assert.match(plain.out, /the witness: not cosigned by witness\.example\/w1/);
    } finally {
      rmSync(join(made.vault, 'checkpoint.witnessed'));
    }
  });

  it('proves without the keys directory, as whoever may read vault/ alone', async () => {
    const away = join(made.keys, 'vault.vkey');
    const vkey = readFileSync(away);
    rmSync(away);
    const file = await proven('1:1').finally(() => writeFileSync(away, vkey));
    assert.equal((await run('check', file, '--key', made.vkey)).status, Exit.done);
  });
});

describe('vault prove, after lines were taken out of the vault', () => {
  it('says which amendment took a line, and goes on proving its neighbours', async (t) => {
    const made = vaultFor(t);
    made.receive(delivery('one\ntwo\nthree\n'));
    await made.keep();
    made.receive(delivery('four\n'));
    await made.keep();
    const size = openVault(made.vault).checkpoint()?.size ?? 0;
    const later =
      Array.from({ length: size }, (_, i) => i).findLast(
        (i) => openVault(made.vault).entries(i, i + 1)[0]?.entry.kind === 'batch',
      ) ?? 0;
    assert.ok(later > 1);
    const run = async (...argv: string[]) => {
      const io = testIo();
      const status = await runProgram(
        ['vault', ...argv],
        { 'vault prove': async () => vaultProve, 'vault check': async () => vaultCheck },
        io,
        '0',
      );
      return { status, ...io.written };
    };
    const prove = (address: string) => run('prove', '--state', made.root, address);
    const earlier = await prove('1:2');

    const stored = zstdCompressSync(encodeRedacted(openVault(made.vault).batch(1, 'root'), 2));
    const segment = { sha256: sha256(stored), length: stored.length };
    const appender = await openTest(made);
    await appender.commit(
      [
        {
          kind: 'redact',
          entry: { target: { entry: 1, line: 2 }, segment, reason: 'a name', by: 'j.doe' },
          stored,
        },
        {
          kind: 'expire',
          entry: {
            entries: { first: later, end: later + 1 },
            class: 'default',
            policy: 'older-than-1d',
            by: 'j.doe',
          },
        },
      ],
      appender.intake(),
    );
    appender.close();
    for (const entry of [1, later]) rmSync(join(made.vault, segmentPath(entry)), { force: true });

    const redacted = await prove('1:2');
    assert.deepEqual([redacted.status, redacted.out], [Exit.couldNotLook, '']);
    assert.match(redacted.err, /line 2 of entry 1 was taken out \(redact entry \d+, by j\.doe: a name\)/);
    const expired = await prove(`${later}:1`);
    assert.deepEqual([expired.status, expired.out], [Exit.couldNotLook, '']);
    assert.match(expired.err, /removed under expire entry \d+ \(older-than-1d, by j\.doe\)/);
    for (const [address, raw] of [
      ['1:1', 'one'],
      ['1:3', 'three'],
      ['1:0', null],
    ] as const) {
      const file = join(made.root, 'neighbour');
      writeFileSync(file, (await prove(address)).out);
      const { status, out } = await run('check', file, '--key', made.vkey, '--json');
      assert.equal(status, Exit.done, address);
      if (raw !== null) assert.equal(Buffer.from(JSON.parse(out).claim.raw, 'base64').toString(), raw);
    }
    const kept = join(made.root, 'kept');
    writeFileSync(kept, earlier.out);
    assert.equal(
      (await run('check', kept, '--key', made.vkey)).status,
      Exit.done,
      'a proof made before still holds',
    );
  });
});
