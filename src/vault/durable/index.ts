export {
  createDirectory,
  createFile,
  createMark,
  removeFile,
  syncDirectory,
  unfinishedPath,
  type Owner,
} from './create.ts';
export { openDurable, type Durable } from './durable.ts';
