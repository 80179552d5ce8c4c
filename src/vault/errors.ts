import { HoldfastError } from '#base/errors';

/**
 * What can be wrong with a vault or with writing to it.
 *
 * - `absent`: there is no vault, or one of its two halves (vault/, keys/) is missing; nothing is created implicitly
 * - `unreadable`: it is there, and cannot be read, by this user or at all
 * - `exists`: a vault was to be created where one already is
 * - `rolled-back`: the published state is older than what the signer remembers
 * - `signer-behind`: the signer remembers less than what is published
 * - `fork`: signer and published state disagree about the tree at one size
 * - `corrupt`: bytes of the vault are not what their hashes say
 * - `bad-key`: signer, public key and checkpoint do not belong together
 * - `in-use`: another keeper holds this vault and did not end in time
 * - `other-writer`: somebody else wrote the lock record, or a segment, while this process held the vault
 * - `no-space`: the file system is full; nothing was committed, the same commit may be tried again
 * - `fsync-failed`: the kernel could not make bytes durable; the process must end
 * - `failed`: an earlier fault stopped this writer; the process must end
 * - `not-found`: no such entry or line
 * - `expired`: the lines were there; their segment was removed under an expire entry
 * - `redacted`: the line was taken out under a redact entry; only its leaf hash is left
 * - `held`: a legal hold forbids it
 * - `refused`: what was asked of the keeper contradicts what the log says, or what this keeper can do
 * - `contradicted`: a checkpoint signed with our key, or cosigned by a witness that we ask, is not in this log
 * - `expected-more`: more was asked for than the checkpoint covers
 */
export type VaultErrorCode =
  | 'absent'
  | 'unreadable'
  | 'exists'
  | 'rolled-back'
  | 'signer-behind'
  | 'fork'
  | 'corrupt'
  | 'bad-key'
  | 'in-use'
  | 'other-writer'
  | 'no-space'
  | 'fsync-failed'
  | 'failed'
  | 'not-found'
  | 'expired'
  | 'redacted'
  | 'held'
  | 'refused'
  | 'contradicted'
  | 'expected-more';

export class VaultError extends HoldfastError {
  override readonly code: VaultErrorCode;

  constructor(code: VaultErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
