import { appendFileSync, rmSync } from 'node:fs';

/** A program that appends numbered lines to a text log, as most do. */
export type FileWriter = { written(): number; finish(): number; remove(): void };

export const fileWriter = (path: string, token: string): FileWriter => {
  let written = 0;
  const timer = setInterval(() => {
    written += 1;
    appendFileSync(path, `${token} #${written}\n`, { mode: 0o644 });
  }, 10);
  const finish = (): number => {
    clearInterval(timer);
    return written;
  };
  return {
    written: () => written,
    finish,
    remove() {
      finish();
      rmSync(path, { force: true });
    },
  };
};
