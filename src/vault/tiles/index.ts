export { VaultError, type VaultErrorCode } from '../errors.ts';
export type { Checkpoint } from '#vault/checkpoint';
export { readVaultFile } from './file.ts';
export { openPublished, type Published, type Publication } from './published.ts';
export { keptTiles, openTiles, type Tiles } from './tiles.ts';
