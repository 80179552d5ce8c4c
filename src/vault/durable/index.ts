export { createDirectory, createFile, syncDirectory } from './create.ts';
export { openDurable, type Durable } from './durable.ts';
