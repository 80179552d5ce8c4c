/** What GRUB starts unless somebody chooses otherwise. `release` is `null` where the entry names no kernel image. */
export type BootDefault = { entry: string; release: string | null };

type Entry = { titles: string[]; id: string | null; path: number[]; release: string | null };

/**
 * Finds the default entry in a `grub.cfg` as grub-mkconfig writes it: `set default="0"`, `"1>2"`, a title or an id, or
 * `"${saved_entry}"`, which stands in `grubenv`. `null` where there is no such entry.
 */
export const parseGrubDefault = (config: string, environment: string): BootDefault | null => {
  const variable = (name: string): string =>
    new RegExp(`^${name}=(.*)$`, 'm').exec(environment)?.[1]?.trim() ?? '';
  const written = [...config.matchAll(/^\s*set default="?([^"\n]*)"?\s*$/gm)].map((match) => match[1] ?? '');
  const last = written.at(-1) ?? '0';
  const wanted =
    variable('next_entry') || (last.includes('saved_entry') ? variable('saved_entry') : last) || '0';
  const entries = parseEntries(config);
  const steps = wanted.split('>');
  const found = entries.find(({ path, titles, id }) =>
    steps.length === 1
      ? id === wanted || titles.at(-1) === wanted || startsAt(path, [Number(wanted)])
      : startsAt(path, steps.map(Number)) ||
        titles.join('>') === wanted ||
        id === steps.at(-1) ||
        titles.at(-1) === steps.at(-1),
  );
  return found === undefined ? null : { entry: found.titles.join('>'), release: found.release };
};

/** A number that names a submenu means the first entry in it. */
const startsAt = (path: readonly number[], wanted: readonly number[]): boolean =>
  wanted.every((number, i) => path[i] === number) &&
  path.slice(wanted.length).every((number) => number === 0);

const opening = /^\s*(menuentry|submenu)\s+(?:'((?:[^']|'\\'')*)'|"([^"]*)")(.*)\{\s*$/;

const parseEntries = (config: string): Entry[] => {
  const entries: Entry[] = [];
  /** Counts of entries seen so far at each depth of menus; titles of the submenus that are open. */
  const counts = [0];
  const submenus: { title: string; number: number; depth: number }[] = [];
  let entry: Entry | null = null;
  let depth = 0;
  for (const line of config.split('\n')) {
    const open = opening.exec(line);
    if (open !== null && entry === null) {
      const title = open[2] ?? open[3] ?? '';
      const number = counts.at(-1) ?? 0;
      counts[counts.length - 1] = number + 1;
      depth += 1;
      if (open[1] === 'submenu') {
        submenus.push({ title, number, depth });
        counts.push(0);
        continue;
      }
      const id = /(?:\$menuentry_id_option|--id)\s+'?([^'\s]+)'?/.exec(open[4] ?? '')?.[1] ?? null;
      entry = {
        titles: [...submenus.map((menu) => menu.title), title],
        id,
        path: [...submenus.map((menu) => menu.number), number],
        release: null,
      };
      entries.push(entry);
      continue;
    }
    const image = /^\s*linux(?:16|efi)?\s+\S*\/vmlinu[xz]-(\S+)/.exec(line);
    if (image !== null && entry !== null) entry.release = image[1] ?? null;
    if (/^\s*\}\s*$/.test(line) && depth > 0) {
      if (entry !== null) {
        entry = null;
        depth -= 1;
      } else if (submenus.at(-1)?.depth === depth) {
        submenus.pop();
        counts.pop();
        depth -= 1;
      }
    }
  }
  return entries;
};
