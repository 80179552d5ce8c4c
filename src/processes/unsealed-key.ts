import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Name of the signing key among the credentials of a unit (systemd.exec(5), LoadCredentialEncrypted=). */
const credentialName = 'holdfast-signer';

/** Tells a child on which of its descriptors the unsealed key is. Only the number is in the environment. */
const descriptorVariable = 'HOLDFAST_SIGNER_FD';

const credentialFile = (env: NodeJS.ProcessEnv): string | null => {
  const directory = env['CREDENTIALS_DIRECTORY'] ?? '';
  const file = join(directory, credentialName);
  return directory !== '' && existsSync(file) ? file : null;
};

/**
 * The key that systemd has unsealed for this process, opened to be handed to one child: another user may not open it
 * itself.
 * @returns `null` where there is none
 */
export const openUnsealedKey = (env: NodeJS.ProcessEnv): number | null => {
  const file = credentialFile(env);
  return file === null ? null : openSync(file, 'r');
};

/** What a child is told that finds the key at `descriptor`. */
export const unsealedKeyAt = (descriptor: number): NodeJS.ProcessEnv => ({
  [descriptorVariable]: String(descriptor),
});

/** The signing key where it is sealed: handed over by the supervisor, or by systemd to the keeper's own unit. */
export const readUnsealedKey = (env: NodeJS.ProcessEnv): Buffer | undefined => {
  const descriptor = env[descriptorVariable] ?? '';
  if (/^\d{1,3}$/.test(descriptor)) return readFileSync(Number(descriptor));
  const file = credentialFile(env);
  return file === null ? undefined : readFileSync(file);
};
