import { linkSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { createVault, openAppender, startSequencer } from '#vault/append';
import { openVault } from '#vault/read';
import { writeDeliveryFile } from './delivery-file.ts';

/**
 * The process that makes a vault: `node grow.ts '{"state":…,"corpus":…,"corpusLines":…,"lines":…}'`. The product's own
 * writer takes intake files that all are links to one, which holds the corpus: so a vault of any size needs neither
 * that many lines on the disk nor in memory. Says `{"grown":{…}}` (see `Grown`), and stays until its standard input
 * ends.
 */
export type GrowOrder = { state: string; corpus: string; corpusLines: number; lines: number };

export type Grown = {
  /** Of the corpus; manifests are not counted. */
  lines: number;
  batches: number;
};

const LF = 0x0a;
/** Intake files that wait: what a receiver may be ahead. */
const ahead = 4;

/** The first `lines` of the corpus as a receiver would have stored them. */
const writeIntake = (path: string, corpus: Buffer, lines: number): void => {
  let end = 0;
  for (let n = 0; n < lines; n += 1) end = corpus.indexOf(LF, end) + 1;
  writeDeliveryFile(path, corpus.subarray(0, end), () => systemClock().now());
};

const grow = async ({ state: root, corpus, corpusLines, lines }: GrowOrder): Promise<Grown> => {
  const { vault, keys, intake, vkeyFile } = stateDirectory(root);
  const clock = systemClock();
  mkdirSync(intake, { recursive: true });
  createVault({ vault, keys, clock });
  const whole = join(root, 'whole');
  const rest = join(root, 'rest');
  const bytes = readFileSync(corpus);
  writeIntake(whole, bytes, corpusLines);
  writeIntake(rest, bytes, lines % corpusLines);
  const parts = Array.from({ length: Math.floor(lines / corpusLines) }, () => whole);
  if (lines % corpusLines > 0) parts.push(rest);

  const appender = await openAppender({ vault, keys, clock });
  const log = (level: string, text: string): void => void process.stderr.write(`${level}: ${text}\n`);
  const sequencer = startSequencer({ appender, intake, clock, host: 'bench', log });
  for (const [i, part] of parts.entries()) {
    while (readdirSync(intake).filter((name) => name.endsWith('.intake')).length >= ahead)
      await Promise.race([sleep(20), sequencer.ended]);
    linkSync(part, join(intake, `${String(i + 1).padStart(12, '0')}-00000000.intake`));
  }
  await sequencer.stop();
  appender.close();
  for (const path of [whole, rest, intake]) rmSync(path, { recursive: true });

  const reader = openVault(vault, { vkey: readFileSync(vkeyFile, 'utf8').trim() });
  const size = reader.checkpoint()?.size ?? 0;
  const grown = { lines: 0, batches: 0 };
  const step = 4096;
  for (let from = 0; from < size; from += step) {
    for (const { entry } of reader.entries(from, Math.min(size, from + step))) {
      if (entry.kind !== 'batch') continue;
      // Line 0 of a batch is its manifest.
      grown.lines += entry.lines - 1;
      grown.batches += 1;
    }
  }
  return grown;
};

process.stdin.on('end', () => process.exit(0)).resume();
const order: GrowOrder = JSON.parse(process.argv[2] ?? '{}');
process.stdout.write(`${JSON.stringify({ grown: await grow(order) })}\n`);
