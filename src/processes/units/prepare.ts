import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import { ownLog } from '#base/own-log';
import { stateDirectory } from '#base/state';
import { childConfigs, type ChildConfig } from '../up/configs.ts';
import { UpError } from '../up/errors.ts';
import { socketsOf } from '../up/layout.ts';
import { unitsMark } from '../up/only-one.ts';
import { readOptions } from '../up/options.ts';
import { preparePki } from '../up/pki.ts';
import { replaceFile, writeRunFile } from '../up/run-file.ts';
import type { ProcessName } from '../up/accounts.ts';
import { userOfThisHost } from './users.ts';

/**
 * What root does before the units start (holdfast-prepare.service): it turns the one configuration file into what each
 * process is told, and makes the token that opens the console and, where a listener speaks TLS, the key of the receiver. It never makes a vault: where none is, one is missing.
 *
 *     node prepare.ts STATE CONFIGURATION DIRECTORY
 */
const prepare = (stateRoot: string, configuration: string, directory: string): void => {
  const state = stateDirectory(stateRoot);
  if (!existsSync(state.vkeyFile))
    throw new UpError(
      'state-unusable',
      `there is no vault in ${stateRoot}, and one is expected. For a new one: deploy/install.sh; for the old one, restore vault/ and keys/`,
    );
  const options = readOptions(existsSync(configuration) ? { config: configuration } : {});
  const token = randomBytes(24).toString('base64url');
  const tokenFile = writeRunFile(state, 'console.token', `${token}\n`, userOfThisHost('console'));
  const pki = preparePki(state, options, userOfThisHost('receiver'));
  const configs: Record<ProcessName, ChildConfig | null> = {
    ...childConfigs(state, options, tokenFile, pki, socketsOf(state)),
    agent: options.agent === 'on' ? { state: state.root, factsFile: join(state.run, 'facts.json') } : null,
  };
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const [name, config] of Object.entries(configs)) {
    const file = join(directory, `${name}.json`);
    // A unit whose file is missing is not to run.
    if (config === null) rmSync(file, { force: true });
    else replaceFile(file, `${JSON.stringify(config)}\n`, 0o644, null);
  }
  const processes = Object.entries(configs).flatMap(([name, config]) => (config === null ? [] : [name]));
  replaceFile(
    join(directory, 'host.json'),
    `${JSON.stringify({ state: state.root, processes, allowed: options.allowed })}\n`,
    0o644,
    null,
  );
  replaceFile(unitsMark(state), 'The units of holdfast.target keep this state directory.\n', 0o644, null);
};

// The processes read what it writes; the token has a mode of its own.
process.umask(0o022);
const [stateRoot, configuration, directory] = process.argv.slice(2);
const log = ownLog('prepare');
if (stateRoot === undefined || configuration === undefined || directory === undefined) {
  log('error', 'it takes the state directory, the configuration file and the directory to write to');
  process.exit(2);
}
try {
  prepare(stateRoot, configuration, directory);
} catch (error) {
  log('error', messageOf(error));
  process.exit(error instanceof UpError ? 2 : 1);
}
