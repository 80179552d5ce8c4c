import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';

/**
 * What a file holds, without the line end. A name without `/` is a credential of the systemd unit (LoadCredential=). Read
 * each time it is needed, so that one that was replaced holds at once.
 * @throws Error says what could not be read; never what it holds
 */
export const readSecret = (file: string, env: NodeJS.ProcessEnv = process.env): string => {
  const directory = env['CREDENTIALS_DIRECTORY'];
  if (!file.includes('/') && directory === undefined)
    throw new Error(
      `there is no credential ${file}: they are given by systemd; without it, name a file by its whole path`,
    );
  try {
    const text = readFileSync(file.includes('/') ? file : join(directory ?? '', file), 'utf8');
    return text.replace(/\r?\n$/, '');
  } catch (error) {
    throw new Error(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
};
