import { lstatSync, readdirSync, statSync } from 'node:fs';
import { guardedText } from './guarded-text.ts';

/** A file, and what stands before its root's /var/lib/dpkg: `''`, or `/proc/<pid>/root` inside a container. */
export type PackagedFile = { root: string; path: string };

export type PackageFacts = {
  version: string | null;
  /** Whether the system needs it: `Essential`, `Protected`, or of priority `required` (deb-control(5)). */
  required: boolean;
};

/** Finds the Debian packages that brought files. Keep one for as long as you inspect: it remembers its answers. */
export type PackageFinder = {
  /** Package names in the order of the files: `null` if no package brought it, or its root has no dpkg database. */
  find(files: readonly PackagedFile[]): (string | null)[];
  /** What dpkg's status says of the package. */
  describe(root: string, name: string): PackageFacts;
  /** Whether there is a dpkg database to look in. */
  hasDatabase(root: string): boolean;
};

/**
 * Reads `info/*.list` of a dpkg database once per state of that database, and looks for all the asked paths in one
 * pass. dpkg knows a file by the name in the archive, so on a merged /usr both `/usr/bin/x` and `/bin/x` are tried; a
 * diverted file (dpkg-divert(1)) is looked for by its original name. Roots that share one database (services with a
 * mount namespace of their own) share its answers.
 */
export const packageFinder = (): PackageFinder => {
  const memory = new Map<string, Map<string, string | null>>();
  const facts = new Map<string, PackageFacts>();
  return {
    describe(root, name) {
      const key = `${databaseState(root) ?? ''} ${name}`;
      const known = facts.get(key);
      if (known !== undefined) return known;
      const answer = packageFacts(guardedText(`${root}/var/lib/dpkg/status`) ?? '', name);
      if (facts.size >= 4096) facts.clear(); // keys of databases that are no more
      facts.set(key, answer);
      return answer;
    },
    hasDatabase: (root) => databaseState(root) !== null,
    find(files) {
      const states = new Map(
        [...new Set(files.map(({ root }) => root))].map((root) => [root, databaseState(root)]),
      );
      const current = new Set(states.values());
      for (const state of memory.keys()) if (!current.has(state)) memory.delete(state);
      const answers = files.map(({ root, path }) => ({ root, path, state: states.get(root) ?? null }));
      for (const state of current) {
        if (state === null) continue;
        const owners = memory.get(state) ?? new Map<string, string | null>();
        memory.set(state, owners);
        const asked = answers.filter((one) => one.state === state && !owners.has(one.path));
        for (const { path } of asked) owners.set(path, null);
        const wanted = [...new Set(asked.map(({ path }) => path))].filter((path) => packaged.test(path));
        const root = asked[0]?.root;
        if (root === undefined || wanted.length === 0) continue;
        const diversions = parseDiversions(guardedText(`${root}/var/lib/dpkg/diversions`) ?? '');
        for (const [path, owner] of scan(`${root}/var/lib/dpkg/info`, wanted, diversions)) {
          owners.set(path, owner);
        }
      }
      return answers.map(({ path, state }) =>
        state === null ? null : (memory.get(state)?.get(path) ?? null),
      );
    },
  };
};

/** Where packages may put programs (FHS 3.0, Debian policy 9.1). Elsewhere no list needs to be read. */
const packaged = /^\/(?:usr\/(?!local\/)|s?bin\/|lib[^/]*\/|opt\/|etc\/|srv\/|boot\/|var\/(?!tmp\/))/;

/**
 * Identity of the database, or `null` where there is none. Inside another root no component may be a symlink: an
 * absolute one would lead back out into this host's own files.
 */
const databaseState = (root: string): string | null => {
  try {
    if (root !== '') {
      for (const part of ['/var', '/var/lib', '/var/lib/dpkg', '/var/lib/dpkg/info']) {
        if (!lstatSync(root + part).isDirectory()) return null;
      }
    }
    const { dev, ino, mtimeMs } = statSync(`${root}/var/lib/dpkg/info`);
    const status = lstatSync(`${root}/var/lib/dpkg/status`);
    return `${dev}:${ino}:${mtimeMs}:${status.mtimeMs}`;
  } catch {
    return null;
  }
};

const scan = (
  info: string,
  wanted: readonly string[],
  diversions: ReadonlyMap<string, { from: string; by: string }>,
): Map<string, string> => {
  const asked = new Map<string, { path: string; notBy: string | null }[]>();
  for (const path of wanted) {
    for (const name of archiveNames(path)) {
      const diverted = diversions.get(name);
      const key = diverted?.from ?? name;
      asked.set(key, [...(asked.get(key) ?? []), { path, notBy: diverted?.by ?? null }]);
    }
  }
  const pattern = new RegExp(`^(?:${[...asked.keys()].map(RegExp.escape).join('|')})$`, 'gm');
  const owners = new Map<string, string>();
  for (const list of likelyFirst(readdirSync(info), wanted)) {
    const name = list.slice(0, -'.list'.length).replace(/:[^:]*$/, '');
    const text = guardedText(`${info}/${list}`) ?? '';
    for (const [file] of text.matchAll(pattern)) {
      for (const { path, notBy } of asked.get(file) ?? []) if (name !== notBy) owners.set(path, name);
    }
    if (owners.size === wanted.length) break;
  }
  return owners;
};

/** Reads a package's paragraph of dpkg's status file. A package of several architectures has several. */
export const packageFacts = (status: string, name: string): PackageFacts => {
  const text = `\n${status}`;
  let version: string | null = null;
  for (let from = 0; ;) {
    const start = text.indexOf(`\nPackage: ${name}\n`, from);
    if (start < 0) return { version, required: false };
    const end = text.indexOf('\n\n', start + 1);
    const paragraph = text.slice(start, end < 0 ? undefined : end + 1);
    version ??= /^Version: (.*)$/m.exec(paragraph)?.[1] ?? null;
    if (/^(?:Essential: yes|Protected: yes|Priority: required)$/m.test(paragraph))
      return { version, required: true };
    from = start + 1;
  }
};

/** Lists of packages that share three letters with a wanted program first: mostly the search can end there. */
const likelyFirst = (names: readonly string[], wanted: readonly string[]): string[] => {
  const hints = wanted.map((path) => path.slice(path.lastIndexOf('/') + 1).slice(0, 3));
  const lists = names.filter((name) => name.endsWith('.list'));
  const likely = new Set(lists.filter((list) => hints.some((hint) => list.includes(hint))));
  return [...likely, ...lists.filter((list) => !likely.has(list))];
};

/** `/usr/bin/x` → also `/bin/x`, and the other way round (merged /usr). */
export const archiveNames = (path: string): string[] => {
  if (/^\/usr\/(?:s?bin|lib[^/]*)\//.test(path)) return [path, path.slice('/usr'.length)];
  return /^\/(?:s?bin|lib[^/]*)\//.test(path) ? [path, `/usr${path}`] : [path];
};

/** /var/lib/dpkg/diversions: three lines each (from, to, package; `:` is a local diversion). Keyed by `to`. */
export const parseDiversions = (text: string): Map<string, { from: string; by: string }> => {
  const lines = text.split('\n');
  const diversions = new Map<string, { from: string; by: string }>();
  for (let i = 0; i + 2 < lines.length; i += 3) {
    const [from = '', to = '', by = ''] = lines.slice(i, i + 3);
    diversions.set(to, { from, by });
  }
  return diversions;
};
