export { exportVault, type Exported, type ExportOptions, type ExportProgress } from './export.ts';
