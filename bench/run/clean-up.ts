import { rmSync } from 'node:fs';

/**
 * What is left behind when the bench ends, however it ends: nothing. Processes are ended by their own pid, and only
 * while they are still this process's children, so that no pid of somebody else's can be hit.
 */
const undo = new Set<() => void>();

export type CleanUp = {
  /** It has been done in order; there is nothing left to do at the end. */
  done(): void;
};

/** Runs at the end of the process unless `done` was called. Must be synchronous. */
export const atExit = (action: () => void): CleanUp => {
  undo.add(action);
  return { done: () => void undo.delete(action) };
};

/** Removes a directory at the end; at once with `done`'s caller having removed it. */
export const removeAtExit = (dir: string): CleanUp =>
  atExit(() => rmSync(dir, { recursive: true, force: true }));

/** To be called once, before anything is started. */
export const cleanUpOnSignals = (): void => {
  process.on('exit', () => {
    for (const action of [...undo].toReversed()) action();
    undo.clear();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      process.stderr.write('\nbench: interrupted; ending what was started\n');
      process.exit(130);
    });
  }
};
