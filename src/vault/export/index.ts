export { exportVault, type Exported, type ExportOptions, type ExportProgress } from './export.ts';
export { fullTiles, newPartialTiles, replacedPartials } from './tiles.ts';
