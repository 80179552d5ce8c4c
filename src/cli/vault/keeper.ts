import { readFileSync } from 'node:fs';
import { messageOf, systemCode } from '#base/errors';
import { printable } from '#base/printable';
import { defaultStateRoot } from '#base/state';
import { isEntryText } from '#vault/request';
import { openVault, VaultError, type VaultReader } from '#vault/read';
import { RequestError, sendRequest, type KeeperRequest } from '#vault/request';
import type { Context } from '../command.ts';
import { text, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { assertPublished, explainedFor } from './presence.ts';

/** The vault of the state directory, for reading. @throws CliError `could-not-look` */
export const readVault = ({ state }: Context): VaultReader => {
  assertPublished(state);
  return openVault(state.vault, { vkey: () => readFileSync(state.vkeyFile, 'utf8').trim() });
};

/** What goes wrong with the vault or the keeper, as what a person is told. */
export const explained = async <T>(act: () => T | Promise<T>): Promise<T> => {
  try {
    return await act();
  } catch (error) {
    if (error instanceof VaultError || systemCode(error) !== null)
      throw new CliError('could-not-look', explainedFor(error), { cause: error });
    if (error instanceof RequestError)
      throw new CliError(error.code === 'not-running' ? 'not-running' : 'refused', messageOf(error), {
        cause: error,
      });
    throw error;
  }
};

/** @returns index of the entry, and what is left. @throws CliError `refused` with the keeper's reason */
export const askKeeper = async (
  { state, io }: Context,
  request: KeeperRequest,
): Promise<{ entry: number; notes: readonly string[] }> => {
  io.err(io.paint('dim', 'asking the keeper …\n'));
  const answer = await explained(() => sendRequest(request, { keys: state.keys }));
  if (answer.done) return answer;
  throw new CliError('refused', `the keeper refused (${printable(answer.code)}): ${answer.message}`);
};

/** A text that will stand in the log for ever. @throws CliError `usage` */
export const standing = (flags: Flags, name: 'reason' | 'by'): string => {
  const given = text(flags, name);
  if (given !== undefined && isEntryText(given)) return given;
  throw new CliError(
    'usage',
    given === undefined
      ? `--${name} is needed: ${name === 'by' ? 'who approved it' : 'why'}. It stands in the log for ever`
      : `--${name} takes 1 to 200 characters of printable ASCII; it stands in the log for ever`,
  );
};

/** `--state`, where a shown command needs it. */
export const stateFlag = ({ state }: Context): string =>
  state.root === defaultStateRoot(process.env, process.getuid?.() ?? -1)
    ? ''
    : ` --state ${quoted(state.root)}`;

/** For a shell. */
export const quoted = (word: string): string =>
  /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
