import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { delivery, newTestVault, type TestVault } from '../../vault/testing/test-vault.ts';

const holdfast = join(import.meta.dirname, '..', '..', '..', 'bin', 'holdfast');
const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
const skip =
  process.getuid?.() !== 0
    ? 'only root can be another user'
    : spawnSync('setpriv', ['--version']).status !== 0 && 'no setpriv: apt install util-linux';

const commands = (out: string): string[][] => [
  ['verify'],
  ['prove', '1:1'],
  ['export', out],
  ['holds'],
  ['hold', '--entries', '1..1', '--reason', 'x', '--by', 'y'],
  ['release', '1', '--reason', 'x', '--by', 'y'],
  ['redact', '1:1'],
  ['expire', '--older-than', '1d'],
  ['rotate-key', '--reason', 'x', '--by', 'y'],
];

describe('vault commands that look for the vault', () => {
  let made: TestVault;
  let out: string;
  const run = (argv: readonly string[], state: string, as: readonly string[] = []) => {
    const [file = holdfast, ...rest] = [...as, holdfast, 'vault', ...argv, '--state', state];
    const { status, stdout, stderr } = spawnSync(file, rest, { encoding: 'utf8' });
    return { status, stdout, stderr };
  };

  before(async () => {
    out = mkdtempSync(join(tmpdir(), 'holdfast-presence-'));
    made = newTestVault();
    made.receive(delivery('one\n'));
    await made.keep();
  });
  after(() => {
    made.remove();
    rmSync(out, { recursive: true });
  });

  it('say that there is none only where there is none', () => {
    for (const argv of [...commands(join(out, 'copy')), ['fsck']]) {
      const { status, stderr } = run(argv, join(out, 'nowhere'));
      assert.equal(status, 3, argv.join(' '));
      assert.match(stderr, /there is no vault in/, argv.join(' '));
    }
    mkdirSync(join(out, 'empty', 'vault'), { recursive: true });
    const { status, stderr } = run(['prove', '1:1'], join(out, 'empty'));
    assert.equal(status, 3);
    assert.match(stderr, /checkpoint is missing: "holdfast vault fsck"/);
  });

  it('say who may look, to somebody who may not', { skip }, () => {
    const copy = join(out, 'copy-of-nobody');
    mkdirSync(copy, { mode: 0o777 });
    chmodSync(copy, 0o777);
    chmodSync(out, 0o755);
    // Closed at the top, at vault/, at its files.
    for (const [root, vault] of [
      [0o700, 0o755],
      [0o755, 0o700],
      [0o755, 0o755],
    ] as const) {
      chmodSync(made.root, root);
      chmodSync(made.vault, vault);
      for (const argv of commands(copy)) {
        const { status, stdout, stderr } = run(argv, made.root, nobody);
        const note = `${argv.join(' ')}, ${root.toString(8)} ${vault.toString(8)}: ${stdout}${stderr}`;
        assert.equal(status, 3, note);
        assert.match(stderr, /does not let you in: run this as root, or as the user who runs Holdfast/, note);
        assert.doesNotMatch(stdout + stderr, /no vault|fault of Holdfast|NOT INTACT/, note);
      }
      const looked = run(['fsck'], made.root, nobody);
      assert.equal(looked.status, 3, looked.stdout + looked.stderr);
      assert.doesNotMatch(looked.stdout, /^bad/m);
    }
  });

  it('tell a copy from a state directory that has lost its keys', () => {
    const copy = join(out, 'good-copy');
    assert.equal(run(['export', copy], made.root).status, 0);
    const looked = run(['fsck'], copy);
    assert.equal(looked.status, 0);
    assert.match(
      looked.stdout,
      /^This is a copy: no keeper goes on from here\. It can be verified: .* --state /m,
    );
    const lost = join(out, 'lost');
    cpSync(made.root, lost, { recursive: true });
    unlinkSync(join(lost, 'keys', 'lock'));
    const bad = run(['fsck'], lost);
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, /^bad +keys\/lock: missing/m);
  });

  it('restore nothing into an intact vault, and refuse to copy a vault onto itself', () => {
    const copy = join(out, 'made-up');
    mkdirSync(join(copy, 'vault', 'tile', '0'), { recursive: true });
    writeFileSync(join(copy, 'vault', 'checkpoint'), 'garbage');
    writeFileSync(join(copy, 'vault', 'tile', '0', '000'), Buffer.alloc(8192));
    const restored = run(['fsck', '--from', copy], made.root);
    assert.equal(restored.status, 0, restored.stderr);
    assert.match(restored.stdout, /^Nothing to restore: this vault is intact/);
    const onto = run(['export', made.root], made.root);
    assert.equal(onto.status, 2);
    assert.match(onto.stderr, /it is .* itself\. Choose another directory; nothing was written/);
    assert.equal(run(['verify'], made.root).status, 0);
  });

  it('name a file that is not there where a key is wanted', () => {
    for (const argv of [
      ['check', '/dev/null', '--key', '/no/such/file'],
      ['verify', '--key', '/no/such/file'],
      ['verify', '--witness', '/no/such/file'],
    ]) {
      const { status, stderr } = run(argv, made.root);
      assert.equal(status, 2, stderr);
      assert.match(stderr, /there is no file '\/no\/such\/file', and it is no key itself/);
    }
  });

  it('take a day for a time in verify too', () => {
    assert.equal(run(['verify', '--since', '2026-05-12', '--until', '2026-05-13'], made.root).status, 0);
    const wrong = run(['verify', '--since', 'yesterday'], made.root);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /--since takes a day \(2026-05-12\)/);
  });
});
