import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import { messageOf } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { CliError } from '#cli';
import type { ClientFiles } from '#ship';
import { parsePlace } from '#witness';
import { hostPortForm, parseHostPort } from '../host-port.ts';

/** The command line, as it was given. */
export type Given = {
  server: string | undefined;
  publisher: string | undefined;
  log: string | undefined;
};

/** What `holdfast agent` sends where. */
export type AgentOptions = {
  host: string;
  port: number;
  files: ClientFiles;
  published: { at: string; vkeyFile: string } | null;
};

/** Where `holdfast hosts enrol --server` leaves what this host shows. */
export const clientFiles = ({ pki }: StateDirectory): ClientFiles => ({
  key: join(pki, 'client.key'),
  certificate: join(pki, 'client.crt'),
  authority: join(pki, 'authority.crt'),
});

/** @throws CliError `usage` */
export const readAgentOptions = (state: StateDirectory, given: Given): AgentOptions => {
  const at = given.server === undefined ? null : parseHostPort(given.server);
  if (at === null || at.port === 0)
    throw new CliError(
      'usage',
      `--server: '${given.server ?? ''}' is not ${hostPortForm}; it is where the other host listens with --listen agent=…`,
    );
  const files = clientFiles(state);
  for (const file of Object.values(files)) assertReadable(file);
  return { ...at, files, published: publishedAt(given) };
};

const assertReadable = (file: string): void => {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw new CliError(
      'usage',
      `${messageOf(error)}. This host has no certificate yet: ask for one with 'holdfast hosts enrol --server …'`,
      { cause: error },
    );
  }
};

const publishedAt = ({ publisher, log }: Given): AgentOptions['published'] => {
  if (publisher === undefined && log === undefined) return null;
  if (publisher === undefined || log === undefined)
    throw new CliError('usage', 'to witness the log it takes both --publisher URL and --log FILE');
  try {
    parsePlace(publisher);
  } catch (error) {
    throw new CliError('usage', `--publisher: ${messageOf(error)}`, { cause: error });
  }
  assertReadable(log);
  return { at: publisher, vkeyFile: resolve(log) };
};
