/** Thrown by every parser of the vault for bytes that are not what they should be. Hostile input ends up here. */
export class VaultFormatError extends Error {
  override readonly name = 'VaultFormatError';
}
