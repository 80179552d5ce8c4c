import { build, type Metafile } from 'esbuild';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** Value imports, as they are after type stripping: module → modules. Packages and built-ins are leaves. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/**
 * The import graph below the given entry points, as esbuild resolves it.
 * @param entries paths relative to `base`
 * @returns module names relative to `base` (`src/vault/read/index.ts`), package names, `node:…`
 */
export const importGraph = async (entries: readonly string[], base = root): Promise<ImportGraph> => {
  const { metafile } = await build({
    entryPoints: entries.map((entry) => join(base, entry)),
    absWorkingDir: base,
    bundle: true,
    metafile: true,
    write: false,
    outdir: 'unused',
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return graphOf(metafile);
};

const graphOf = (metafile: Metafile): ImportGraph =>
  new Map(
    Object.entries(metafile.inputs).map(([file, { imports }]) => [
      file,
      imports.map(({ path, external }) => (external === true ? packageOf(path) : path)),
    ]),
  );

/** `@clickhouse/client/x` → `@clickhouse/client`; `fs` and `node:fs` → `node:fs`. */
const packageOf = (specifier: string): string => {
  if (specifier.startsWith('node:')) return specifier;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
};

/** Everything reachable from `from`, itself excluded, with the module through which it was first reached. */
export const reachable = (graph: ImportGraph, from: string): Map<string, string> => {
  const via = new Map<string, string>();
  const queue = [from];
  for (let module = queue.shift(); module !== undefined; module = queue.shift()) {
    for (const next of graph.get(module) ?? []) {
      if (via.has(next) || next === from) continue;
      via.set(next, module);
      queue.push(next);
    }
  }
  return via;
};

/** The chain of imports from `from` to `to`, for the message. */
export const chain = (via: ReadonlyMap<string, string>, from: string, to: string): string[] => {
  const path = [to];
  for (let at = via.get(to); at !== undefined && at !== from; at = via.get(at)) path.unshift(at);
  return [from, ...path];
};

/** Rooms with several doors. */
const withDoors = ['vault', 'pki'];

/** `src/vault/read/index.ts` → `vault/read`; `src/receive/syslog/tcp.ts` → `receive`; packages → null. */
export const roomOf = (module: string): string | null => {
  const parts = module.split('/');
  if (parts[0] !== 'src' || parts[1] === undefined) return null;
  return withDoors.includes(parts[1]) && parts.length > 3 ? `${parts[1]}/${parts[2]}` : parts[1];
};
