import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decodeRecord } from '#vault/record';
import { checkLineProof, encodeLineProof, parseVkey } from '#vault/prove';
import { openVault } from '#vault/read';
import { verifyVault } from '#vault/verify';
import { workedExample, xxd } from './worked-example.ts';

/**
 * docs/formats/worked-example.md: its blocks are run at a shell, must print what stands below them and make the files
 * that the product's own code makes; and these are a vault.
 */
const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'formats', 'worked-example.md'), 'utf8');
const example = workedExample();

const missing = (['bash', 'xxd', 'openssl', 'zstd'] as const).filter(
  (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
);
const noTools = missing.length === 0 ? false : `not installed: apt install ${missing.join(' ')}`;

/** Blocks of shell, each with what stands below it as its output. */
const steps = [...page.matchAll(/^```bash\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms)].map(
  ([, commands = '', printed = '']) => ({ commands, printed }),
);

const trimmed = (text: string): string => text.replace(/[ \t]+$/gm, '').trim();

describe('the worked example', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'holdfast-worked-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  it('shows every value and every file as the code makes them', () => {
    for (const value of example.values) assert.ok(page.includes(value.trim()), `not on the page: ${value}`);
    for (const [path, bytes] of example.files) {
      if (!path.startsWith('vault/') || path === 'vault/checkpoint') continue;
      for (const row of xxd(bytes)) assert.ok(page.includes(`\n${row} `), `${path}: not on the page: ${row}`);
    }
  });

  it('is a vault that verifies, and whose proofs are those on the page', async () => {
    const made = join(dir, 'by-code');
    for (const [path, bytes] of example.files) {
      mkdirSync(dirname(join(made, path)), { recursive: true });
      writeFileSync(join(made, path), bytes);
    }
    await assertVault(made);
  });

  it('comes out of the shell as the page says, byte for byte', { skip: noTools }, async () => {
    assert.ok(steps.length >= 14);
    const made = join(dir, 'by-hand');
    mkdirSync(made);
    const script = steps.map(({ commands }) => `${commands}\nprintf '\\036'\n`).join('');
    const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -eu\n${script}`], {
      cwd: made,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(root, 'bin')}${delimiter}${process.env['PATH'] ?? ''}` },
    });
    assert.deepEqual([status, stderr], [0, '']);
    const outputs = stdout.split('\u001e');
    for (const [i, { commands, printed }] of steps.entries())
      assert.equal(trimmed(outputs[i] ?? ''), trimmed(printed), commands);
    for (const [path, bytes] of example.files)
      assert.ok(readFileSync(join(made, path)).equals(bytes), `${path} differs from what the code makes`);
    await assertVault(made);
  });

  const assertVault = async (made: string): Promise<void> => {
    const vault = join(made, 'vault');
    const report = await verifyVault({ vault, vkey: example.vkey });
    assert.deepEqual(report.problems, []);
    assert.deepEqual([report.size, report.lines], [2, 2]);
    const reader = openVault(vault, { vkey: example.vkey });
    const { records, offsets } = reader.batch(1, 'root');
    assert.deepEqual(
      [1, 2].map((line) => decodeRecord(records, offsets[line]).record.raw.toString()),
      ['<34>hello', '<34>world'],
    );
    const proof = encodeLineProof(reader.prove(1, 1));
    assert.ok(proof.equals(example.files.get('line.tlog-proof') ?? Buffer.alloc(0)));
    assert.ok(checkLineProof(proof, { vkey: parseVkey(example.vkey) }).proven);
  };
});
