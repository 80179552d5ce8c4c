import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { openAppender } from '../append/appender.ts';
import { delivery, newTestVault, summary, whileChanged, type TestVault } from '../testing/test-vault.ts';
import { verifyVault } from './verify.ts';

/** Three lives: commits of sizes 1, 2, 3 … with lines of two senders. */
const smallVault = async (): Promise<TestVault> => {
  const made = newTestVault();
  for (const text of ['one\ntwo\n', 'three\n', 'four\nfive\nsix\n']) {
    made.receive(delivery(text), delivery(`${text}again\n`, { peer: 'other' }));
    await made.keep();
  }
  return made;
};

describe('verify', () => {
  let made: TestVault;
  before(async () => {
    made = await smallVault();
  });
  after(() => made.remove());

  const assertNamed = async (file: string, note: string): Promise<string> => {
    const report = await made.verify();
    assert.ok(!report.ok, `${note}: not noticed`);
    assert.ok(
      report.problems.some((problem) => problem.file === file),
      `${note}: ${file} is not named in\n${summary(report)}`,
    );
    return summary(report);
  };

  it('finds nothing wrong where nothing is', async () => {
    const report = await made.verify();
    assert.equal(summary(report), '');
    assert.ok(report.ok && report.more === 0 && report.uncommitted === 0);
    assert.equal(report.size, report.entries);
    // 6 + 3 sent and sent again, one `again` each; manifests are not counted.
    assert.equal(report.lines, 15);
  });

  it('names the file in which any one byte was changed', async () => {
    for (const path of made.files()) {
      const bytes = made.read(path);
      const step = process.env['HOLDFAST_TEST_FULL'] === '1' || bytes.length < 300 ? 1 : 11;
      for (let at = 0; at < bytes.length; at += step) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (at % 2 === 0 ? 0x01 : 0x80);
        await whileChanged(made, path, changed, async () => {
          await assertNamed(path, `byte ${at} of ${path}`);
        });
      }
    }
  });

  it('names a file that is missing, truncated, or longer', async () => {
    for (const path of made.files()) {
      const bytes = made.read(path);
      await whileChanged(made, path, null, async () => {
        assert.match(await assertNamed(path, `${path} removed`), /missing/);
      });
      for (const cut of [0, 1, Math.floor(bytes.length / 2), bytes.length - 1]) {
        await whileChanged(made, path, bytes.subarray(0, cut), async () => {
          await assertNamed(path, `${path} cut to ${cut}`);
        });
      }
      for (const more of ['x', '\n', '\0\0', 'x'.repeat(500)]) {
        await whileChanged(made, path, Buffer.concat([bytes, Buffer.from(more)]), async () => {
          await assertNamed(path, `${path} with ${JSON.stringify(more)} appended`);
        });
      }
    }
  });

  it('names both of two files that were swapped', async () => {
    const files = made.files();
    for (const [i, one] of files.entries()) {
      for (const other of files.slice(i + 1)) {
        const [first, second] = [made.read(one), made.read(other)];
        // Two files may be the same: one hash, one entry.
        if (first.equals(second)) continue;
        await whileChanged(made, one, second, () =>
          whileChanged(made, other, first, async () => {
            await assertNamed(one, `${one} and ${other} swapped`);
            await assertNamed(other, `${one} and ${other} swapped`);
          }),
        );
      }
    }
  });

  it('names the lines of a segment, and whose it is if it was swapped', async () => {
    const [one, other] = made.files().filter((path) => path.startsWith('segment/'));
    assert.ok(one && other);
    await whileChanged(made, one, made.read(other), async () => {
      assert.match(
        await assertNamed(one, 'swapped'),
        /^segment\/001\.zst \[1:0\.\.\d+\]: swapped: it is the segment of entry \d/,
      );
    });
    const bytes = made.read(one);
    await whileChanged(made, one, bytes.subarray(0, 20), async () => {
      assert.match(
        await assertNamed(one, 'truncated'),
        /^segment\/001\.zst \[1:0\.\.\d+\]: truncated: 20 of/,
      );
    });
  });

  it('names what does not belong there', async () => {
    for (const path of [
      'x',
      'segment/000.zst',
      'segment/0.zst',
      'tile/0/000',
      'tile/0/000.p/9',
      'tile/2/000.p/1',
      'tile/entries/000.p/2x',
      'history/001/x',
      'checkpoint.old',
      'tile/tile/0/000',
    ]) {
      const file = join(made.vault, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, 'x');
      try {
        await assertNamed(path, `${path} added`);
      } finally {
        rmSync(file);
      }
    }
  });

  it('does not follow links, and is not held up by pipes', async () => {
    const segment = made.files().find((path) => path.startsWith('segment/'));
    assert.ok(segment);
    const file = join(made.vault, segment);
    const away = join(made.root, 'away');
    renameSync(file, away);
    try {
      symlinkSync(away, file);
      await assertNamed(segment, 'a link');
      rmSync(file);
      execFileSync('mkfifo', [file]);
      await assertNamed(segment, 'a pipe');
      rmSync(file);
      mkdirSync(file);
      await assertNamed(segment, 'a directory');
      rmSync(file, { recursive: true });
      linkSync(away, file);
      assert.equal(summary(await made.verify()), '', 'a hard link is a file');
    } finally {
      rmSync(file, { recursive: true, force: true });
      renameSync(away, file);
    }
  });

  it('notices a change that agrees with itself up to the checkpoint', async () => {
    // A vault written by somebody else with the same lines: everything fits together, but for the signature.
    const other = await smallVault();
    try {
      const report = await verifyVault({ vault: other.vault, vkey: made.vkey });
      assert.ok(!report.ok);
      assert.match(summary(report), /^checkpoint: changed: /);
    } finally {
      other.remove();
    }
  });

  it('says that freshness is unknown without the signer’s memory, and contradicted by it', async (t) => {
    const without = await verifyVault({ vault: made.vault, vkey: made.vkey });
    assert.ok(without.ok);
    assert.equal(without.freshness.verdict, 'unknown');
    assert.equal(without.freshness.signer.says, 'nothing');
    const later = await copyOf(t, made);
    later.receive(delivery('more\n'));
    await later.keep();
    const report = await verifyVault({ vault: made.vault, vkey: made.vkey, lock: join(later.keys, 'lock') });
    assert.match(summary(report), /^checkpoint: rolled back: it ends at \d, the signer remembers/);
    assert.equal(report.freshness.verdict, 'contradicted');
  });

  it('survives noise in place of any file', async () => {
    for (const path of made.files()) {
      for (const size of [0, 1, 44, 8192]) {
        await whileChanged(made, path, Buffer.alloc(size, 0xff), async () => {
          await assertNamed(path, `noise of ${size} bytes`);
        });
      }
    }
    for (const vkey of ['', 'x', 'a+00000000+AAAA', `${made.vkey}x`]) {
      const report = await verifyVault({ vault: made.vault, vkey });
      assert.equal(report.problems[0]?.file, 'vkey');
    }
    const nowhere = await verifyVault({ vault: join(made.root, 'nowhere'), vkey: made.vkey });
    assert.ok(!nowhere.ok && nowhere.problems.length > 0);
  });
});

/** The same vault elsewhere, with a keeper of its own. */
const copyOf = async (t: TestContext, made: TestVault): Promise<TestVault> => {
  const copy = newTestVault();
  t.after(() => copy.remove());
  for (const part of ['vault', 'keys', 'intake'] as const) {
    rmSync(copy[part], { recursive: true });
    cpSync(made[part], copy[part], { recursive: true });
  }
  for (let i = 0; i < 3; i++) copy.receive();
  utimesSync(copy.vault, 0, 0);
  return copy;
};

describe('verify beside a keeper at work', () => {
  it('never takes a commit for damage', async (t) => {
    const made = newTestVault();
    t.after(() => made.remove());
    const appender = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock });
    const keeper = { isOver: false };
    let looks = 0;
    const writing = (async () => {
      const until = Date.now() + 3000;
      const isEnough = (): boolean => Date.now() >= until && looks > 3;
      for (let i = 0; !isEnough(); i++) {
        const entries = Array.from({ length: i % 5 === 0 ? 60 : 1 }, () => ({ kind: 'heartbeat' }) as const);
        await appender.commit(entries, '');
      }
    })().finally(() => {
      keeper.isOver = true;
    });
    while (!keeper.isOver) {
      const report = await made.verify();
      assert.equal(summary(report), '');
      looks += 1;
    }
    await writing;
    assert.equal(
      readFileSync(join(made.vault, 'checkpoint'), 'utf8').split('\n')[1],
      String(appender.size()),
    );
  });
});
