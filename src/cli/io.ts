/** Where a command writes, and how: injected, so that tests can read it. */
export type Io = {
  /** Results. */
  out(text: string): void;
  /** Progress and diagnostics. */
  err(text: string): void;
  /** Colours text on a terminal that wants it; returns it as it is elsewhere. */
  paint(style: Style, text: string): string;
  /** Columns of the terminal; where there is none, those that COLUMNS says, or 100. */
  width: number;
  interactive: boolean;
};

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan' | 'magenta';

const codes: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
  cyan: [36, 39],
  magenta: [35, 39],
};

/** Colour only on a terminal, and not where NO_COLOR is set (no-color.org). */
export const processIo = (): Io => {
  const colour =
    process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    paint(style, text) {
      const [on, off] = codes[style];
      return colour ? `\x1b[${on}m${text}\x1b[${off}m` : text;
    },
    width: process.stdout.columns ?? (Number(process.env['COLUMNS']) || 100),
    interactive: process.stdout.isTTY === true,
  };
};
