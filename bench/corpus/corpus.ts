import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { speakers } from './hosts.ts';
import { maxJitter, timeOfLine } from './line-time.ts';
import { random } from './random.ts';
import { tally } from './tally.ts';

/** RFC 5424 lines, each ended by LF, the same ones for the same number of lines on every machine. */
export type Corpus = {
  path: string;
  lines: number;
  bytes: number;
  /** See `Tally.sum`. */
  sum: number;
  /** A word that only few lines have, and how many have it. */
  rare: { token: string; lines: number };
};

/** To be raised when what is generated changes, so that no old file is taken for it. */
const version = 1;
const rareToken = 'quokkaberry';
const blockLines = 20_000;

/** Makes the corpus below `dir`, or takes the one that an earlier run left there. */
export const corpus = async (dir: string, lines: number): Promise<Corpus> => {
  const path = join(dir, `rfc5424-v${version}-${lines}.log`);
  const known = await existing(path);
  if (known !== null) return known;
  await mkdir(dir, { recursive: true });
  const made = await generate(path, lines);
  await writeFile(`${path}.json`, JSON.stringify(made));
  return made;
};

const existing = async (path: string): Promise<Corpus | null> => {
  try {
    const known: Corpus = JSON.parse(await readFile(`${path}.json`, 'utf8'));
    return (await stat(path)).size === known.bytes ? { ...known, path } : null;
  } catch {
    return null;
  }
};

const generate = async (path: string, lines: number): Promise<Corpus> => {
  const partial = `${path}.${process.pid}`;
  const file = createWriteStream(partial);
  try {
    const made = await writeLines(file, lines);
    file.end();
    await once(file, 'close');
    await rename(partial, path);
    return { path, lines, ...made };
  } catch (error) {
    file.destroy();
    await rm(partial, { force: true });
    throw error;
  }
};

const writeLines = async (file: WriteStream, lines: number): Promise<Omit<Corpus, 'path' | 'lines'>> => {
  const r = random(5424);
  const all = speakers();
  const everyRare = Math.max(1, Math.floor(lines / 5));
  const ticked = tally(lines, 0);
  let bytes = 0;
  let rare = 0;
  for (let from = 0; from < lines; from += blockLines) {
    let text = '';
    for (let n = from; n < Math.min(lines, from + blockLines); n += 1) {
      const speaker = all[r.below(all.length)];
      const say = speaker?.program.messages[r.below(speaker.program.messages.length)];
      if (speaker === undefined || say === undefined)
        throw new RangeError('a program of the corpus says nothing');
      const { program, host, pid } = speaker;
      text += `<${program.pri}>1 ${timeOfLine(n, r.below(maxJitter))} ${host} ${program.name} ${pid} - - ${say(r)}`;
      if (n % everyRare === Math.floor(everyRare / 2)) {
        text += ` ref=${rareToken}`;
        rare += 1;
      }
      text += '\n';
    }
    const block = Buffer.from(text, 'latin1');
    ticked.lines(block);
    bytes += block.length;
    if (!file.write(block)) await once(file, 'drain');
  }
  const { lost, repeated, foreign } = ticked.count();
  if (lost + repeated + foreign > 0)
    throw new RangeError('the lines of the corpus do not have distinct times');
  return { bytes, sum: ticked.sum(), rare: { token: rareToken, lines: rare } };
};
