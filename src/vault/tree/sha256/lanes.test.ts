import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, hash, randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { compile, compilerPath, compilerVersion, type Compiler } from './compile.ts';
import { lanes } from './lanes.ts';
import { plain, type Hashing } from './plain.ts';

const fast = (): Hashing => {
  const found = lanes();
  assert.ok(found, 'WebAssembly with SIMD is there on every machine that runs these tests');
  return found;
};

/** Lines of these lengths, and where each begins, `lead` bytes into their memory. */
const linesOf = (
  lengths: readonly number[],
  lead = 0,
): { records: Buffer; offsets: Uint32Array; salts: Buffer } => {
  const offsets = new Uint32Array(lengths.length + 1);
  offsets[0] = lead;
  for (const [i, length] of lengths.entries()) offsets[i + 1] = (offsets[i] ?? 0) + length;
  const records = randomBytes(offsets[lengths.length] ?? 0);
  return { records, offsets, salts: randomBytes(lengths.length * 16) };
};

const assertSame = (lengths: readonly number[], lead = 0): void => {
  const { records, offsets, salts } = linesOf(lengths, lead);
  const found = fast().leaves(records, offsets, salts);
  const expected = plain.leaves(records, offsets, salts);
  if (found.equals(expected)) return;
  const wrong = lengths.findIndex(
    (_, i) => !found.subarray(i * 32, i * 32 + 32).equals(expected.subarray(i * 32, i * 32 + 32)),
  );
  assert.fail(`leaf ${wrong} of ${lengths.length}, of a line of ${lengths[wrong]} bytes, is another one`);
};

describe('the simple version', () => {
  it('is SHA-256 of 0x00, salt and record', () => {
    const { records, offsets, salts } = linesOf([0, 5, 300], 7);
    const leaves = plain.leaves(records, offsets, salts);
    for (let i = 0; i < 3; i++) {
      const of = createHash('sha256')
        .update(Buffer.of(0))
        .update(salts.subarray(i * 16, i * 16 + 16));
      const leaf = of.update(records.subarray(offsets[i], offsets[i + 1])).digest();
      assert.ok(leaf.equals(leaves.subarray(i * 32, i * 32 + 32)), `leaf ${i}`);
    }
  });
});

describe('leaves, four at a time, are those of the simple version', () => {
  it('for each length around the borders of blocks, areas, and what a lane takes', () => {
    const around = (length: number): number[] => [-2, -1, 0, 1, 2].map((by) => length + by);
    // The prefix of 17 bytes moves the borders of a line's blocks.
    const inBlocks = [55, 63, 119, 127, 183, 2048, 2048 - 64, 4096].flatMap((size) => [
      ...around(size),
      ...around(size - 17),
      ...around(size - 26),
    ]);
    const lengths = [...inBlocks, ...around(512 * 1024), ...Array.from({ length: 200 }, (_, i) => i)];
    for (const length of lengths.filter((one) => one >= 0)) assertSame([length]);
    assertSame(lengths.filter((one) => one >= 0));
  });
  it('for each number of lines up to 9, wherever they begin', () => {
    for (let count = 0; count <= 9; count++) {
      for (let round = 0; round < 20; round++)
        assertSame(
          Array.from({ length: count }, () => randomInt(round < 10 ? 200 : 6000)),
          randomInt(100),
        );
    }
  });
  it('for any lengths from 0 to 70,000', () => {
    for (let round = 0; round < 10; round++)
      assertSame(Array.from({ length: 60 }, () => randomInt([10, 100, 1000, 70_001][randomInt(4)] ?? 1)));
  });
  it('for a full batch of 65,536', () => {
    assertSame(Array.from({ length: 65_536 }, (_, i) => (i % 97) + randomInt(40)));
    assertSame(Array.from({ length: 65_536 }, () => 0));
  });
  it('for one long line among many short ones', () => {
    const lengths = Array.from({ length: 1000 }, () => 100);
    lengths[500] = 2 * 1024 * 1024;
    lengths[501] = 2022;
    assertSame(lengths);
  });
});

describe('the root of a tree, four nodes at a time, is that of the simple version', () => {
  const counts = [
    ...Array.from({ length: 70 }, (_, i) => i + 1),
    255,
    256,
    257,
    32_767,
    32_768,
    32_769,
    65_535,
    65_536,
  ];
  for (const [from, to] of [
    [0, 70],
    [70, counts.length],
  ] as const) {
    it(`for ${counts[from]} to ${counts[to - 1]} leaves`, () => {
      for (const count of counts.slice(from, to)) {
        const row = randomBytes(count * 32);
        const before = Buffer.from(row);
        assert.ok(fast().root(row).equals(plain.root(row)), `${count} leaves`);
        assert.ok(row.equals(before), 'what it is given stays as it is');
      }
    });
  }
  it('for more leaves than are hashed at once, twice over', () => {
    const row = randomBytes((3 * 32_768 + 5) * 32);
    assert.ok(fast().root(row).equals(plain.root(row)));
  });
});

it('works in a worker thread', async () => {
  const row = randomBytes(5 * 32);
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     import(workerData.url).then(({ lanes }) => parentPort.postMessage(lanes().root(Buffer.from(workerData.row))));`,
    { eval: true, workerData: { url: new URL('./lanes.ts', import.meta.url).href, row } },
  );
  const root = await new Promise<Uint8Array>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  assert.ok(plain.root(row).equals(root));
});

it('gives way to the simple version where WebAssembly has no SIMD', () => {
  // No machine that Node runs on lacks it, and no flag takes it away: the answer of V8 is all that can be changed.
  const program = `
    WebAssembly.validate = () => false;
    const { lanes } = await import(${JSON.stringify(new URL('./lanes.ts', import.meta.url).href)});
    const { treeRoot } = await import(${JSON.stringify(new URL('../hash.ts', import.meta.url).href)});
    process.stdout.write(lanes() + ' ' + treeRoot(Buffer.alloc(64)).toString('hex'));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
    { encoding: 'utf8' },
  );
  const expected = hash('sha256', Buffer.concat([Buffer.of(1), Buffer.alloc(64)]));
  assert.equal(stdout, `null ${expected}`, stderr);
});

it('lanes.wasm is what the pinned compiler makes of lanes.as', async (t) => {
  const found = await import(compilerModule).catch(() => null);
  if (found === null)
    return t.skip('the AssemblyScript compiler is not installed (npm ci in tools/assemblyscript)');
  const compiler: Compiler & { version: string } = found;
  assert.equal(
    compiler.version,
    compilerVersion,
    'another compiler: compile again, and say so in compile.ts',
  );
  const committed = readFileSync(join(import.meta.dirname, 'lanes.wasm'));
  assert.ok(committed.equals(await compile(compiler)), 'run src/vault/tree/sha256/compile.ts');
  return undefined;
});

/** Not by a name that the types must know: only this test needs it. */
const compilerModule: string = compilerPath;
