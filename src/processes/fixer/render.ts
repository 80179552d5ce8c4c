import { printable } from '#base/printable';
import { wrap, type Io } from '#cli';
import type { Told } from '#fix';

const styles = { begun: 'dim', ok: 'green', failed: 'red', told: 'dim' } as const;
const signs = { begun: '…', ok: '✓', failed: '✗', told: '·' } as const;

/** One step on a line: a sign, its name, what happened. */
export const renderStep = (io: Io, { step, outcome, text }: Told): string =>
  wrap(
    printable(text),
    io.width,
    ' '.repeat(15),
    `${io.paint(styles[outcome], signs[outcome])} ${step.padEnd(12)} `,
    15,
  );

/** Removed lines red, new ones green. */
export const renderDiff = (io: Io, diff: string): string =>
  diff
    .trimEnd()
    .split('\n')
    .map((line) => {
      const text = `  ${printable(line)}`;
      if (/^(?:---|\+\+\+)/.test(line)) return `${io.paint('bold', text)}\n`;
      if (line.startsWith('-')) return `${io.paint('red', text)}\n`;
      if (line.startsWith('+')) return `${io.paint('green', text)}\n`;
      return `${line.startsWith('@@') ? io.paint('dim', text) : text}\n`;
    })
    .join('');
