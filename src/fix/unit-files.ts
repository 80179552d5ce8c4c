import { readdirSync, readFileSync, readlinkSync, realpathSync, type Dirent } from 'node:fs';
import { basename, join } from 'node:path';
import { systemCode } from '#base/errors';

/**
 * What unit files say, whether or not systemd has loaded them: systemd.unit(5). It knows who starts a unit only from those
 * that it has loaded.
 */
export type UnitFiles = {
  /** Units that start this one when they are started themselves, or fail. */
  startersOf(unit: string): string[];
  /** Timers, paths and sockets that start it. */
  triggersOf(unit: string): string[];
  /** The unit's other names, without those that `systemctl disable` takes away. */
  aliasesOf(unit: string): string[];
};

/** First come, first served. What generators make is loaded; links in `/etc` go with `systemctl disable`. */
const places = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
] as const;

const isUnit = /\.(?:service|socket|path|timer|target|mount|automount|swap|slice|device)$/;
const starts = ['Wants', 'Requires', 'BindsTo', 'Upholds', 'OnFailure', 'OnSuccess'];

/** @param root of the host whose files are read */
export const readUnitFiles = (root = '/'): UnitFiles => {
  /** Text of the file and of its additions; no text where it is masked. */
  const texts = new Map<string, string>();
  const masked = new Set<string>();
  const aliases = new Map<string, string>();
  const links: { by: string; unit: string }[] = [];
  const add = (unit: string, text: string): void =>
    void texts.set(unit, `${texts.get(unit) ?? ''}\n${text.replaceAll('\\\n', ' ')}`);
  const known = new Set<string>();
  for (const place of places) {
    const directory = join(root, place);
    for (const entry of entriesOf(directory)) {
      const path = join(directory, entry.name);
      const [, by = '', kind] = /^(.*)\.(d|wants|requires|upholds)$/.exec(entry.name) ?? [];
      if (kind === 'd')
        for (const { name } of entriesOf(path))
          if (name.endsWith('.conf')) add(by, textOf(join(path, name)) ?? '');
      if (kind !== undefined && kind !== 'd' && place !== '/etc/systemd/system')
        for (const { name } of entriesOf(path)) links.push({ by, unit: name });
      if (!isUnit.test(entry.name) || known.has(entry.name)) continue;
      known.add(entry.name);
      const target = entry.isSymbolicLink() ? basename(targetOf(path)) : entry.name;
      const text = textOf(path);
      if (target === 'null' || text === '') masked.add(entry.name);
      else if (target === entry.name) add(entry.name, text ?? '');
      else if (place !== '/etc/systemd/system') aliases.set(entry.name, target);
    }
  }
  const namesOf = (unit: string): string[] => [unit, ...aliasesOf(unit)];
  const aliasesOf = (unit: string): string[] =>
    [...aliases].flatMap(([alias, target]) => (target === unit ? [alias] : []));
  const all = [...texts].filter(([unit]) => !masked.has(unit));
  return {
    aliasesOf,
    startersOf(of) {
      const names = new Set(namesOf(of));
      return [
        ...new Set([
          ...links.flatMap(({ by, unit }) => (names.has(unit) && !masked.has(by) ? [by] : [])),
          ...all.flatMap(([by, text]) => (wordsOf(text, starts).some((one) => names.has(one)) ? [by] : [])),
        ]),
      ];
    },
    triggersOf(unit) {
      const names = namesOf(unit);
      const stem = unit.replace(/\.service$/, '');
      return all.flatMap(([trigger, text]) => {
        const [, its, kind] = /^(.*[^@])\.(timer|path|socket)$/.exec(trigger) ?? [];
        if (its === undefined) return [];
        const named = wordsOf(text, [kind === 'socket' ? 'Service' : 'Unit']);
        const isIts = named.length === 0 ? its === stem : named.some((one) => names.includes(one));
        return isIts ? [trigger] : [];
      });
    },
  };
};

/** Words behind `NAME=` of each line with one of these names. */
export const wordsOf = (text: string, names: readonly string[]): string[] =>
  text.split('\n').flatMap((line) => {
    const [, name = '', words = ''] = /^(\w+)\s*=(.*)$/.exec(line) ?? [];
    return names.includes(name) ? words.split(/\s+/).filter((word) => word !== '') : [];
  });

/** What is not there, or leads nowhere, is none. */
const orNone = <Value>(read: () => Value): Value | null => {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR'].includes(systemCode(error) ?? '')) return null;
    throw error;
  }
};

export const entriesOf = (directory: string): Dirent[] =>
  (orNone(() => readdirSync(directory, { withFileTypes: true })) ?? []).toSorted((one, other) =>
    one.name < other.name ? -1 : 1,
  );

export const textOf = (path: string): string | null => orNone(() => readFileSync(path, 'utf8'));

const targetOf = (path: string): string => orNone(() => realpathSync(path)) ?? readlinkSync(path);
