export {
  createDirectory,
  createFile,
  createMark,
  removeFile,
  syncDirectory,
  unfinishedPath,
  type Owner,
} from './create.ts';
export { newFate, openDurable, type Durable, type Fate } from './durable.ts';
