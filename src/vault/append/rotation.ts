import type { KeeperRequest } from '#vault/request';
import { isEntryText } from '#vault/tree';
import { VaultError } from '../errors.ts';
import type { Appender } from './appender.ts';
import type { NewEntry } from './new-entry.ts';

/**
 * A key entry has no line of its own for who asked: it stands with the reason.
 * @throws VaultError `refused`
 */
export const prepareRotation = (
  appender: Pick<Appender, 'sealed'>,
  request: Extract<KeeperRequest, { kind: 'rotate-key' }>,
): NewEntry => {
  if (appender.sealed)
    throw new VaultError(
      'refused',
      'the signing key is sealed with systemd-creds, and a new one could not be sealed from here: unseal it into keys/signer.key, rotate, and seal the new one (docs/formats/keys.md)',
    );
  const reason = `${request.reason} (by ${request.by})`;
  if (!isEntryText(reason))
    throw new VaultError('refused', 'reason and name together are longer than 190 characters: shorten them');
  return { kind: 'key', reason };
};
