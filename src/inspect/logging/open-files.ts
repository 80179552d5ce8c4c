import { existsSync, readdirSync } from 'node:fs';
import type { CouldNotLook } from '#base/looked';
import { systemCode } from '#base/errors';
import { textOf } from '../host.ts';
import {
  argumentsOf,
  executableOf,
  isKernelThread,
  linkOf,
  scriptOf,
  statusField,
} from '../services/processes.ts';
import { visibleProcesses, type VisibleProcesses } from '../patches/visible-processes.ts';

/** A process as far as logging cares. */
export type NamedProcess = {
  pid: number;
  /** 0 where it has none, or it may not be seen. */
  parent: number;
  /** File name of the executable, or the kernel's name (15 bytes) where the executable may not be seen. */
  name: string;
  /** For an interpreter: what it runs. */
  script: string | null;
  arguments: string[];
};

export type OpenFile = {
  path: string;
  /** Unlinked: what is written is gone when the process ends. */
  deleted: boolean;
  process: NamedProcess;
  append: boolean;
};

export type OpenFiles = {
  processes: NamedProcess[];
  /** Whether `processes` are all that run, each with its name. */
  named: VisibleProcesses['seen'];
  /** Regular files that are open for writing. */
  written: OpenFile[];
  /** Socket inode → a process that has it. */
  sockets: Map<number, NamedProcess>;
  couldNotLook: CouldNotLook[];
};

const appendFlag = 0o2000; // O_APPEND, include/uapi/asm-generic/fcntl.h
const accessMode = 0o3;

/** Files that end in these grow by appending and are no logs: databases, their journals, locks, npm's trace of a run. */
const notLogs =
  /\.(?:aof|wal|db|sqlite3?|db-wal|journal|pid|lock|sock)$|\/\.(?:bash|zsh)_history$|\/_logs\/[\dTZ_-]+-debug-\d+\.log$/;
const notFiles = /^\/(?:dev|proc|sys)\//;
const logName = /\.(?:log|err|out)(?:$|\.)|\/logs?\//;

/**
 * Looks through the descriptors of every process (proc_pid_fd(5), proc_pid_fdinfo(5)) for files that are written like
 * logs: under /var/log, opened with O_APPEND, or named like a log. Without privileges those of other users stay
 * unseen.
 */
export const lookAtOpenFiles = (proc: string): OpenFiles => {
  const visible = visibleProcesses(proc, 'which log, clock and audit daemons run, and the files they write');
  const result: OpenFiles = {
    processes: [],
    named: visible.seen,
    written: [],
    sockets: new Map(),
    couldNotLook: visible.couldNotLook,
  };
  let unseen = 0;
  for (const pid of visible.pids) {
    const executable = executableOf(proc, pid);
    const kernelName = (textOf(`${proc}/${pid}/comm`) ?? '').trim();
    const argv = argumentsOf(proc, pid);
    if (argv.length === 0 && executable === null && isKernelThread(proc, pid)) continue;
    const name =
      executable === null
        ? (argv[0]?.split('/').at(-1) ?? kernelName)
        : (executable.path.split('/').at(-1) ?? '');
    if (name === '') {
      // Gone by now, or listed and closed (hidepid=1): then it may be any daemon.
      if (existsSync(`${proc}/${pid}`)) {
        if (result.named === 'all') result.named = 'some';
        unseen += 1;
      }
      continue;
    }
    const process: NamedProcess = {
      pid,
      parent: Number(statusField(textOf(`${proc}/${pid}/status`) ?? '', 'PPid') ?? 0),
      name,
      script: scriptOf(executable?.path ?? name, argv),
      arguments: argv,
    };
    result.processes.push(process);
    try {
      if (lookAtDescriptors(proc, process, result) === 'unseen') unseen += 1;
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ENOENT' && code !== 'ESRCH') unseen += 1;
    }
  }
  if (unseen > 0) {
    result.couldNotLook.push({
      what: `files that ${unseen} ${unseen === 1 ? 'process writes' : 'processes write'}`,
      why: 'their descriptors may not be read',
      remedy: process.getuid?.() === 0 ? 'run outside the sandbox or container' : 'run as root',
    });
  }
  return result;
};

/** Whether a process of that name runs; `null` = none was seen, and not all could be. */
export const runs = ({ processes, named }: OpenFiles, pattern: RegExp): boolean | null =>
  processes.some(({ name }) => pattern.test(name)) || (named === 'all' ? false : null);

const lookAtDescriptors = (proc: string, process: NamedProcess, result: OpenFiles): 'seen' | 'unseen' => {
  const seen = new Set<string>();
  let closed = 0;
  const descriptors = readdirSync(`${proc}/${process.pid}/fd`);
  for (const fd of descriptors) {
    const target = linkOf(`${proc}/${process.pid}/fd/${fd}`);
    if (target === null) {
      closed += 1;
      continue;
    }
    if (target.startsWith('socket:[')) {
      const inode = Number(target.slice('socket:['.length, -1));
      if (!result.sockets.has(inode)) result.sockets.set(inode, process);
      continue;
    }
    if (!target.startsWith('/') || notFiles.test(target) || seen.has(target)) continue;
    const deleted = target.endsWith(' (deleted)');
    const path = deleted ? target.slice(0, -' (deleted)'.length) : target;
    if (notLogs.test(path)) continue;
    const flags = Number.parseInt(
      /^flags:\s*([0-7]+)/m.exec(textOf(`${proc}/${process.pid}/fdinfo/${fd}`) ?? '')?.[1] ?? '0',
      8,
    );
    const append = (flags & appendFlag) !== 0;
    if ((flags & accessMode) === 0 || !(path.startsWith('/var/log/') || append || logName.test(path)))
      continue;
    seen.add(target);
    result.written.push({ path, deleted, process, append });
  }
  return closed > 0 && closed === descriptors.length ? 'unseen' : 'seen';
};
