import { CliError } from '../errors.ts';
import { text, type Flags } from '../command.ts';

/**
 * The query on a command line. A word with one dash is left out of what is found, as in any query; one with two is an
 * option that does not exist.
 */
export const queryIn = (args: readonly string[]): string => {
  const option = args.find((arg) => arg.startsWith('--') && arg !== '--');
  if (option === '--all-vaults')
    throw new CliError(
      'usage',
      '--all-vaults is for logs search alone (lines, --count, --by, --histogram); all else is about this vault (docs/cluster.md)',
    );
  if (option !== undefined)
    throw new CliError(
      'usage',
      `unknown option '${option}' (add --help for help); to search for that text write it in quotes: '"${option}"'`,
    );
  return args.join(' ');
};

/** A whole number that a flag gives, or `otherwise`. @throws CliError `usage` */
export const wholeNumber = (
  flags: Flags,
  name: string,
  { otherwise, most }: { otherwise: number; most: number },
): number => {
  const given = text(flags, name);
  if (given === undefined) return otherwise;
  if (/^\d{1,9}$/.test(given) && Number(given) <= most) return Number(given);
  const dashed = /^[A-Za-z]/.test(given)
    ? `; to leave out lines with a word, put the whole query in quotes, with a space before its dash: ' -word'`
    : '';
  throw new CliError('usage', `--${name} takes a whole number up to ${most}, not '${given}'${dashed}`);
};
