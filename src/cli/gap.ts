import type { CouldNotLook } from '#base/looked';
import { printable } from '#base/printable';
import type { Io } from './io.ts';
import { wrap } from './wrap.ts';

/** One thing that could not be looked at. It names processes and files, whose names are their owners' to choose. */
export const renderGap = (io: Io, { what, why, remedy }: CouldNotLook): string =>
  wrap(`${printable(what)}: ${printable(why)}. ${printable(remedy)}`, io.width, '    ', '  ? ');

/** All of them, by themselves and never among the clean; nothing where there is none. */
export const renderGaps = (io: Io, gaps: readonly CouldNotLook[]): string =>
  gaps.length === 0
    ? ''
    : `\n${io.paint('bold', 'COULD NOT LOOK')}  ${io.paint('magenta', 'nothing is said about these; they are not clean')}\n${gaps.map((gap) => renderGap(io, gap)).join('')}`;
