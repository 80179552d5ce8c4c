/** Old files into the log, by the way of every line: for the command line, which has the files still. */
export { filesBelow, inRotatedOrder } from './rotated.ts';
export { fileSource, importFile, streamSource, type Imported, type ImportSource } from './import-file.ts';
export { openOwnSender, type OwnSender } from './own-sender.ts';
export { ShipError } from '../errors.ts';
export { selfLine } from '../line.ts';
