import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { full } from '../harness/up.ts';
import { mutate, random, type Random } from './random.ts';
import { linesAmong, targets, type Target } from './targets.ts';

/**
 * What strangers' bytes go through, given what a grammar makes and what mutation breaks of it, guided by what it
 * answers: an input whose answer has a new shape is mutated further. `HOLDFAST_FUZZ_SEED` repeats a run; `HOLDFAST_FUZZ_KEEP=1` writes the first such inputs to `seeds/`,
 * which are tried first each time. An input that fails is printed: add it there.
 */
const seed = Number(process.env['HOLDFAST_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const rounds = full ? 200_000 : 2000;
const longest = 1024;
const mostPooled = 2000;
const mostKept = 24;

const seedsOf = (name: string): string => join(import.meta.dirname, 'seeds', `${name}.json`);

const kept = (name: string): Buffer[] => {
  const texts: string[] = JSON.parse(readFileSync(seedsOf(name), 'utf8'));
  return texts.map((text) => Buffer.from(text, 'base64'));
};

const cutAnywhere = (bytes: Buffer, { below }: Random): Buffer[] => {
  const most = 1 + below(below(3) === 0 ? 3 : 64);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + below(most));
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
};

const tryOn = ({ read, judge }: Target, input: Buffer, dice: Random): void => {
  try {
    const whole = read([input]);
    const wholeLines = linesAmong(whole);
    assert.deepEqual(
      linesAmong(read(cutAnywhere(input, dice))),
      wholeLines,
      'it depends on where the stream is cut',
    );
    if (input.length <= 128)
      assert.deepEqual(
        linesAmong(read([...input].map((byte) => Buffer.from([byte])))),
        wholeLines,
        'it depends on single bytes',
      );
    judge?.(input, whole);
  } catch (cause) {
    throw new Error(`seed ${seed}: this input fails (base64): ${input.toString('base64')}`, { cause });
  }
};

const inputFrom = (target: Target, pool: readonly Buffer[], dice: Random): Buffer => {
  const how = dice.below(3);
  const grown = how === 2 ? (pool[dice.below(pool.length)] ?? Buffer.alloc(0)) : target.make(dice);
  return (how === 0 ? grown : mutate(grown, dice)).subarray(0, longest);
};

describe(`strangers' bytes (HOLDFAST_FUZZ_SEED=${seed})`, () => {
  for (const [name, target] of Object.entries(targets))
    it(name, (t) => {
      const dice = random(seed);
      const corpus = kept(name);
      for (const input of corpus) tryOn(target, input, dice);
      const shapes = new Set(corpus.map((input) => target.shape(target.read([input]))));
      const pool = corpus.length > 0 ? [...corpus] : [target.make(dice)];
      const found: Buffer[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const input = inputFrom(target, pool, dice);
        tryOn(target, input, dice);
        const shape = target.shape(target.read([input]));
        if (shapes.has(shape)) continue;
        shapes.add(shape);
        if (pool.length < mostPooled) pool.push(input);
        found.push(input);
      }
      t.diagnostic(
        `${name}: ${rounds} inputs, ${shapes.size} shapes of answers, ${found.length} of them new`,
      );
      if (process.env['HOLDFAST_FUZZ_KEEP'] === '1')
        writeFileSync(
          seedsOf(name),
          `${JSON.stringify(
            [...corpus, ...found].slice(0, mostKept).map((input) => input.toString('base64')),
            null,
            2,
          )}\n`,
        );
    });
});
