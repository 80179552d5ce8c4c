import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros, systemClock, type Micros } from '#base/clock';
import { parseRfc3339 } from '#base/rfc3339';
import { stateDirectory } from '#base/state';
import { createVault, openAppender, startSequencer } from '#vault/append';
import { openVault } from '#vault/read';
import { writeDeliveryFile } from '../vault/delivery-file.ts';

/**
 * The process that makes the vault: `node keep.ts STATE CORPUS`. Intake files are written from the corpus as a receiver
 * would have stored it while its lines were said, each delivery received when its first line claims to have been said;
 * the product's own writer takes them. Says `{"kept":LINES}`, and stays until its standard input ends.
 */
const fileBytes = 64 * 1024 * 1024;
/** Intake files that wait: what a receiver may be ahead. */
const ahead = 3;
const LF = 0x0a;

const claimed = (lines: Buffer, at: number): Micros => {
  const from = lines.indexOf('>1 ', at) + 3;
  return parseRfc3339(lines.toString('latin1', from, lines.indexOf(' ', from))) ?? micros(0);
};

const keep = async (root: string, corpus: string): Promise<number> => {
  const { vault, keys, intake, vkeyFile } = stateDirectory(root);
  const clock = systemClock();
  mkdirSync(intake, { recursive: true });
  createVault({ vault, keys, clock });
  const appender = await openAppender({ vault, keys, clock });
  const log = (level: string, text: string): void => void process.stderr.write(`${level}: ${text}\n`);
  const sequencer = startSequencer({ appender, intake, clock, host: 'bench', log });
  const file = openSync(corpus, 'r');
  const buffer = Buffer.allocUnsafeSlow(fileBytes);
  let kept = 0;
  for (let n = 1; ; n += 1) {
    const length = kept + readSync(file, buffer, kept, buffer.length - kept, null);
    const end = buffer.subarray(0, length).lastIndexOf(LF) + 1;
    if (end === 0) break;
    while (readdirSync(intake).filter((name) => name.endsWith('.intake')).length >= ahead)
      await Promise.race([sleep(20), sequencer.ended]);
    const partial = join(root, 'partial');
    writeDeliveryFile(partial, buffer.subarray(0, end), (at) => claimed(buffer, at));
    renameSync(partial, join(intake, `${String(n).padStart(12, '0')}-00000000.intake`));
    buffer.copyWithin(0, end, length);
    kept = length - end;
  }
  closeSync(file);
  await sequencer.stop();
  appender.close();

  const reader = openVault(vault, { vkey: readFileSync(vkeyFile, 'utf8').trim() });
  const size = reader.checkpoint()?.size ?? 0;
  let lines = 0;
  for (let from = 0; from < size; from += 4096)
    for (const { entry } of reader.entries(from, Math.min(size, from + 4096)))
      // Line 0 of a batch is its manifest.
      if (entry.kind === 'batch') lines += entry.lines - 1;
  return lines;
};

process.stdin.on('end', () => process.exit(0)).resume();
const [root = '', corpus = ''] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify({ kept: await keep(root, corpus) })}\n`);
