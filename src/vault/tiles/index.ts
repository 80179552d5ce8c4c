export { VaultError, type VaultErrorCode } from '../errors.ts';
export type { Checkpoint } from '#vault/checkpoint';
export { openPublished, type Published, type Publication } from './published.ts';
export { openTiles, type Tiles } from './tiles.ts';
