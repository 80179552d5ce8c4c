import { printable } from '#base/printable';
import type { Hit } from '#wire/search';
import type { Io, Style } from '../io.ts';

const bySeverity: Readonly<Record<string, Style>> = {
  emerg: 'red',
  alert: 'red',
  crit: 'red',
  err: 'red',
  warning: 'yellow',
  debug: 'dim',
};

/** One hit as one line of text: time, host, program, message; control bytes escaped. */
export const hitLine = (io: Io, hit: Hit): string => {
  const program = hit.app === null ? '-' : `${hit.app}${hit.pid === null ? '' : `[${hit.pid}]`}`;
  const style = bySeverity[hit.severity ?? ''];
  const message = printable(hit.message);
  return `${io.paint('dim', hit.time)} ${io.paint('cyan', printable(hit.host ?? '-'))} ${io.paint('bold', printable(program))}: ${style === undefined ? message : io.paint(style, message)}\n`;
};

/** What stands before a line to name it, as wide for most lines that stand together. */
export const addressed = (io: Io, { address }: Hit): string => `${io.paint('dim', address.padEnd(8))} `;
