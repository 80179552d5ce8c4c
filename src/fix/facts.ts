import { globSync, readFileSync, realpathSync, statSync } from 'node:fs';
import type { Knob, KnobFacts } from '#advise';
import type { HolderProcess } from '#inspect';
import type { Choice } from './choose.ts';
import { run } from './run.ts';

/** Configuration is text that people write. */
const mostBytes = 1024 * 1024;

/**
 * What a knob asks of this host. Reads files and runs the commands that it names on the
 * host itself: they ask systemd and the resolver, change nothing, and read no configuration that could name code.
 */
export const factsFor = async (knob: Knob, { listeners, door, unit }: Choice): Promise<KnobFacts> => {
  const files = new Map<string, string>();
  for (const path of knob.files.flatMap((glob) => globSync(glob).toSorted())) {
    const real = realpathSync(path);
    const { size } = statSync(real);
    if (statSync(real).isFile() && size <= mostBytes) files.set(real, readFileSync(real, 'utf8'));
  }
  const answers = await Promise.all(
    (knob.asks ?? []).map(async (argv) => {
      const { status, stdout } = await run(argv, 10_000);
      return status === 0 ? stdout : null;
    }),
  );
  return {
    doors: listeners.map(({ protocol, address, port }) => ({ protocol, address, port })),
    unit,
    exe: packagedProgram(door.processes),
    files,
    answers,
  };
};

/** It is run as root, so it must be a file of a package: a name alone is anybody's. */
export const packagedProgram = (
  processes: readonly Pick<HolderProcess, 'exe' | 'package' | 'deleted' | 'container' | 'pid'>[],
): string | null =>
  processes.find(
    (one) =>
      one.exe !== null && one.package !== null && !one.deleted && one.container === null && one.pid !== 1,
  )?.exe ?? null;
