import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WitnessVkey } from '#vault/checkpoint';
import { stoppedBecause } from './evidence.ts';
import { originHash, type WitnessLayout } from './layout.ts';
import { readMemory, type Remembered } from './memory.ts';

export type RememberedLog = {
  /** `null` where the file does not say it in a way that fits its name. */
  origin: string | null;
  file: string;
  remembered: Remembered;
  stopped: string | null;
};

/** All that a witness remembers, read from its files; a process that is this witness may be at work meanwhile. */
export const rememberedLogs = (layout: WitnessLayout, vkey: WitnessVkey): RememberedLog[] =>
  readdirSync(layout.memory)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .toSorted()
    .map((name) => {
      const file = join(layout.memory, name);
      const origin = originIn(file);
      return origin === null || originHash(origin) !== name
        ? {
            origin: null,
            file,
            remembered: { is: 'damaged', why: `${file}: it names another log than its name says` },
            stopped: null,
          }
        : {
            origin,
            file,
            remembered: readMemory(layout, origin, vkey),
            stopped: stoppedBecause(layout, origin),
          };
    });

const originIn = (file: string): string | null => {
  try {
    const first = readFileSync(file, 'utf8').split('\n', 1)[0] ?? '';
    return first.replace(/^holdfast\.unseen\/v1 /, '');
  } catch {
    return null;
  }
};
