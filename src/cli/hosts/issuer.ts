import { userInfo } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { readRegister, type Register } from '#pki/book';
import { ask, PkiError } from '#pki/mailbox';
import { hostName, operatorAnswer, type OperatorAnswer, type OperatorRequest } from '#wire/pki';
import { text, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';

/**
 * Asks the issuer of this state directory.
 * @throws CliError `not-running`, `could-not-look`, `refused`
 */
export const askIssuer = async (
  { pki }: StateDirectory,
  request: OperatorRequest,
): Promise<Exclude<OperatorAnswer, { kind: 'refused' }>> => {
  const answer = await explained(() =>
    ask(join(pki, 'issuer', 'requests'), Buffer.from(JSON.stringify(request))),
  );
  const said = operatorAnswer.parse(JSON.parse(answer.toString('utf8')));
  if (said.kind === 'refused')
    throw new CliError('refused', `the issuer refused: ${said.message} (${said.error})`);
  return said;
};

/** What the authority's book comes to. @throws CliError `could-not-look` */
export const readBook = ({ pki }: StateDirectory): Promise<Register | null> =>
  explained(() => readRegister(join(pki, 'issuer')));

/** What goes wrong with certificates, as what a person is told. */
export const explained = async <T>(act: () => T | Promise<T>): Promise<T> => {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    switch (error.code) {
      case 'not-running':
        throw new CliError(
          'not-running',
          `${messageOf(error)}. It runs with 'holdfast up' where a listener speaks TLS, e.g. --listen https=0.0.0.0:8443`,
          { cause: error },
        );
      case 'bad-token':
        throw new CliError('usage', messageOf(error), { cause: error });
      case 'refused':
      case 'wrong-authority':
        throw new CliError('refused', messageOf(error), { cause: error });
      default:
        throw new CliError('could-not-look', messageOf(error), { cause: error });
    }
  }
};

/** @throws CliError `usage` */
export const nameOf = (given: string | undefined): string => {
  const name = hostName.safeParse(given);
  if (name.success) return name.data;
  throw new CliError(
    'usage',
    `'${given ?? ''}' is no name for a host: 1 to 64 letters, digits, dots, hyphens and underscores`,
  );
};

/** Who asks, for the log: `--by`, else who is logged in. */
export const askedBy = (flags: Flags): string => {
  const given = text(flags, 'by') ?? process.env['SUDO_USER'];
  if (given !== undefined && given !== '') return given.slice(0, 256);
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
};
