import { systemClock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { CliError, type Context } from '#cli';
import { FixError, readableJournals, type Fixer, type Told } from '#fix';
import { openOwnLines } from './own-lines.ts';

/**
 * Gives a fix its surroundings on this host, and runs it.
 * @param show shows a step to who waits for it
 * @throws CliError for what the operator can do something about
 */
export const withFixer = async <Result>(
  { io, state }: Context,
  show: (entry: Told) => void,
  act: (fixer: Fixer) => Promise<Result>,
): Promise<Result> => {
  const lines = openOwnLines(state);
  const clock = systemClock();
  const fixer: Fixer = {
    fixes: state.fixes,
    clock,
    undoCommand: (id) => [...thisProgram(), 'services', 'undo', id, '--guard', '--state', state.root],
    async said(id, entry) {
      // The refusal itself is shown at the end, as the error that it is.
      if (entry.step !== 'refused') show(entry);
      await lines.say(id, entry);
    },
    async unwritten(id, entry) {
      show(entry);
      await lines.sayAside(id, entry, formatMicros(clock.now()));
    },
  };
  try {
    for (const journal of readableJournals(state.fixes)) await lines.sayAgain(journal);
    const result = await act(fixer);
    const away = lines.away() === null ? null : await awayStill(state);
    if (away !== null) io.err(`These steps are in ${state.fixes} alone until Holdfast runs: ${away}\n`);
    return result;
  } catch (error) {
    if (!(error instanceof FixError)) throw error;
    const isUsage = ['no-such-door', 'ambiguous-door', 'risk-not-accepted', 'no-such-fix', 'changed-since'];
    throw new CliError(isUsage.includes(error.code) ? 'usage' : 'refused', error.message, { cause: error });
  } finally {
    const lost = lines.asidesLost();
    if (lost > 0)
      io.err(
        `Of the steps above that no journal has, ${lost} may be in no log either: ${lines.away() ?? 'nobody took them'}\n`,
      );
    lines.close();
  }
};

/** A receiver that was slow may take the steps now, when nothing waits for it. @returns why it does not */
const awayStill = async (state: Context['state']): Promise<string | null> => {
  const lines = openOwnLines(state);
  try {
    for (const journal of readableJournals(state.fixes)) await lines.sayAgain(journal);
    return lines.away();
  } finally {
    lines.close();
  }
};

/** This very program, for systemd to start. */
const thisProgram = (): string[] => [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  ...(process.argv[1] === undefined ? [] : [process.argv[1]]),
];
