import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Fault injection under everything that runs in this process: the functions of `node:fs` and `node:fs/promises`
 * themselves are replaced, for paths below a root, so that no writer is overlooked and none needs to know. The real
 * system call runs or it does not; only what is reported is made up.
 */
export type Call = {
  /** e.g. `rename keys/lock`; what differs from run to run (hashes, process ids) is left out. */
  name: string;
  kind: 'create' | 'write' | 'sync' | 'place' | 'remove' | 'other';
};

/**
 * - `run`: nothing is changed
 * - `fail`: the call is not made
 * - `short`: half of the bytes are written, then it fails (`writev` says how many were, and nothing fails); other calls
 *   are not made
 * - `persisted`: the call is made and succeeds, and a failure is reported
 */
export type Verdict = 'run' | { how: 'fail' | 'short' | 'persisted'; code: 'ENOSPC' | 'EIO' | 'EDQUOT' };

export type Watch = {
  /** Whoever waits inside a call gets through; later calls are not watched. */
  end(): void;
};

type Watched = { root: string; judge: (call: Call) => Verdict };

const watches = new Set<Watched>();

/** Asks `judge` before every call that changes something below `root`. Several roots may be watched at once. */
export const watchCalls = (root: string, judge: (call: Call) => Verdict): Watch => {
  install();
  const watched = { root, judge };
  watches.add(watched);
  return { end: () => void watches.delete(watched) };
};

type Life = { isOver: boolean; under: number };

const lives = new AsyncLocalStorage<Life>();

/**
 * Runs what stands for a process. When it settles the process is gone: whatever it had still under way changes nothing
 * any more, as if it had been killed then. Calls that the kernel has been given are waited for.
 */
export const asProcess = async (act: () => Promise<void>): Promise<void> => {
  install();
  const life: Life = { isOver: false, under: 0 };
  try {
    await lives.run(life, act);
  } finally {
    life.isOver = true;
    while (life.under > 0) await sleep(1);
  }
};

/** By the name of the function without its `Sync`; what the first path (or descriptor) means is the same for all. */
const pathCalls: Readonly<Record<string, Call['kind']>> = {
  mkdir: 'create',
  link: 'place',
  rename: 'place',
  symlink: 'place',
  copyFile: 'write',
  writeFile: 'write',
  appendFile: 'write',
  truncate: 'write',
  unlink: 'remove',
  rmdir: 'remove',
  rm: 'remove',
  chmod: 'other',
  chown: 'other',
  lchown: 'other',
  utimes: 'other',
};

const handleCalls: Readonly<Record<string, Call['kind']>> = {
  write: 'write',
  writev: 'write',
  writeFile: 'write',
  appendFile: 'write',
  truncate: 'write',
  sync: 'sync',
  datasync: 'sync',
  chmod: 'other',
  chown: 'other',
};

const descriptorCalls: Readonly<Record<string, Call['kind']>> = {
  writeSync: 'write',
  writevSync: 'write',
  ftruncateSync: 'write',
  fsyncSync: 'sync',
  fdatasyncSync: 'sync',
  fchmodSync: 'other',
  fchownSync: 'other',
};

type Real = (...args: readonly unknown[]) => unknown;

const handles = new WeakMap<object, string>();
const descriptors = new Map<number, string>();
/** A handle whose last write came back short: its next one fails. */
const exhausted = new WeakMap<object, Error>();
/** Synchronous functions of Node call one another. */
let depth = 0;
let isInstalled = false;

const install = (): void => {
  if (isInstalled) return;
  isInstalled = true;
  for (const [name, kind] of Object.entries(pathCalls)) {
    const target = ['link', 'rename', 'symlink', 'copyFile'].includes(name) ? 1 : 0;
    replace(promises, name, (real) => (args) => around(name, args[target], kind, real, args));
    replace(
      fs,
      `${name}Sync`,
      (real) => (args) => nested(() => aroundSync(name, args[target], kind, real, args)),
    );
  }
  replace(promises, 'open', (real) => async (args) => {
    const handle = await (isForWriting(args[1])
      ? around('open', args[0], 'create', real, args)
      : real(...args));
    if (isObject(handle) && typeof args[0] === 'string') handles.set(handle, args[0]);
    patchHandle(handle);
    return handle;
  });
  replace(fs, 'openSync', (real) => (args) => {
    const descriptor = isForWriting(args[1])
      ? nested(() => aroundSync('open', args[0], 'create', real, args))
      : real(...args);
    if (typeof descriptor === 'number') descriptors.set(descriptor, String(args[0]));
    return descriptor;
  });
  for (const [name, kind] of Object.entries(descriptorCalls)) {
    replace(fs, name, (real) => (args) => {
      const path = typeof args[0] === 'number' ? descriptors.get(args[0]) : undefined;
      return nested(() => aroundSync(name.replace(/^f|Sync$/g, ''), path, kind, real, args));
    });
  }
  syncBuiltinESMExports();
};

let isHandlePatched = false;

const patchHandle = (handle: unknown): void => {
  if (isHandlePatched || !isObject(handle)) return;
  isHandlePatched = true;
  const prototype: unknown = Object.getPrototypeOf(handle);
  if (!isObject(prototype)) throw new Error('a file handle without a prototype');
  for (const [name, kind] of Object.entries(handleCalls)) {
    replace(prototype, name, (real, self) => async (args) => {
      const spent = exhausted.get(self);
      if (spent !== undefined && kind === 'write') throw spent;
      return around(name, handles.get(self), kind, real, args, self);
    });
  }
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** @param wrap is given the real function, bound, and what it was called on */
const replace = (
  owner: object,
  name: string,
  wrap: (real: Real, self: object) => (args: readonly unknown[]) => unknown,
): void => {
  const real: unknown = Reflect.get(owner, name);
  if (typeof real !== 'function') throw new Error(`node has no ${name}`);
  const replaced = function (this: object, ...args: unknown[]): unknown {
    const bound: Real = (...given) => Reflect.apply(real, this, given);
    return wrap(bound, this)(args);
  };
  Object.defineProperty(owner, name, {
    value: replaced,
    configurable: true,
    writable: true,
    enumerable: true,
  });
};

const isForWriting = (flags: unknown): boolean =>
  typeof flags === 'number'
    ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT)) !== 0
    : typeof flags === 'string' && flags !== 'r';

/** What is to become of the call, and the error that it reports if it fails. */
const judgeCall = (
  what: string,
  path: unknown,
  kind: Call['kind'],
): { how: 'run' } | { how: 'fail' | 'short' | 'persisted'; error: Error } => {
  if (lives.getStore()?.isOver === true)
    return { how: 'fail', error: new Error(`${what} ${String(path)}: the process is gone`) };
  if (typeof path !== 'string' || depth > 1) return { how: 'run' };
  for (const { root, judge } of watches) {
    if (path !== root && !path.startsWith(`${root}/`)) continue;
    const verdict = judge({ name: `${what} ${withoutChance(relative(root, path))}`, kind });
    if (verdict === 'run') return { how: 'run' };
    const error = Object.assign(new Error(`${verdict.code}: injected, ${what} '${path}'`), {
      code: verdict.code,
      syscall: what,
      path,
    });
    return { how: verdict.how, error };
  }
  return { how: 'run' };
};

const withoutChance = (path: string): string =>
  path
    .replace(/[0-9a-f]{64}/g, '<root>')
    .replace(/tmp-\d+/g, 'tmp-<pid>')
    .replace(/(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])/g, '<id>');

const around = async (...call: Parameters<typeof judged>): Promise<unknown> => {
  const life = lives.getStore();
  if (life === undefined) return judged(...call);
  life.under += 1;
  try {
    return await judged(...call);
  } finally {
    life.under -= 1;
  }
};

const judged = async (
  what: string,
  path: unknown,
  kind: Call['kind'],
  real: Real,
  args: readonly unknown[],
  self?: object,
): Promise<unknown> => {
  const verdict = judgeCall(what, path, kind);
  if (verdict.how === 'run') return real(...args);
  if (verdict.how === 'fail') throw verdict.error;
  if (verdict.how === 'persisted') {
    const result = await real(...args);
    if (what === 'open' && isObject(result)) await closeOf(result);
    throw verdict.error;
  }
  const half = halved(what, args);
  if (half === null) throw verdict.error;
  const written = await real(...half);
  if (what === 'writev') return written;
  if (what !== 'write' || self === undefined) throw verdict.error;
  exhausted.set(self, verdict.error);
  return written;
};

const aroundSync = (
  what: string,
  path: unknown,
  kind: Call['kind'],
  real: Real,
  args: readonly unknown[],
): unknown => {
  const verdict = judgeCall(what, path, kind);
  if (verdict.how === 'run') return real(...args);
  if (verdict.how === 'fail') throw verdict.error;
  if (verdict.how === 'persisted') {
    const result = real(...args);
    if (what === 'open' && typeof result === 'number') fs.closeSync(result);
    throw verdict.error;
  }
  const half = halved(what, args);
  if (half !== null) real(...half);
  throw verdict.error;
};

const nested = <T>(act: () => T): T => {
  depth += 1;
  try {
    return act();
  } finally {
    depth -= 1;
  }
};

/** The same call with half of its bytes; `null` where there is nothing to halve. */
const halved = (what: string, args: readonly unknown[]): unknown[] | null => {
  if (what === 'writev' && Array.isArray(args[0])) {
    const whole = Buffer.concat(args[0]);
    return [[whole.subarray(0, Math.floor(whole.length / 2))], ...args.slice(1)];
  }
  const at = args.findIndex((arg) => arg instanceof Uint8Array);
  const bytes = args[at];
  if (!(bytes instanceof Uint8Array)) return null;
  if (what !== 'write') {
    const half = bytes.subarray(0, Math.floor(bytes.length / 2));
    return [...args.slice(0, at), half, ...args.slice(at + 1)];
  }
  const offset = typeof args[at + 1] === 'number' ? Number(args[at + 1]) : 0;
  const length = typeof args[at + 2] === 'number' ? Number(args[at + 2]) : bytes.length - offset;
  const half = Math.floor(length / 2);
  return half === 0 ? null : [...args.slice(0, at + 1), offset, half, ...args.slice(at + 3)];
};

const closeOf = async (handle: object): Promise<void> => {
  const close: unknown = Reflect.get(handle, 'close');
  if (typeof close === 'function') await Reflect.apply(close, handle, []);
};
