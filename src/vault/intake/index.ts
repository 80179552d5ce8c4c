export { deliveryFixed, deliveryMagic, encodeDeliveryFixed } from './delivery.ts';
export { walkEntries, type EntryWalker } from './journal-entry.ts';
export { leaveMark, markedFile } from './leave.ts';
export { parseDelivery, senderNames, type Delivery } from './parse-delivery.ts';
export {
  formatDuties,
  formatListed,
  formatPosition,
  isIntakeName,
  parseDuties,
  parsePosition,
  splitListed,
  type Duties,
  type FilePosition,
  type IntakePosition,
} from './position.ts';
export { openIntakeReader, type IntakePiece, type IntakeReader } from './reader.ts';
export { addRecord, headroom, isFull, newLines, splitDelivery, type Lines, type Splitting } from './split.ts';
export { openIntakeWriter, type IntakeWriter, type PendingDelivery } from './writer.ts';
export { IntakeWriteError, type IntakeWriteErrorCode } from './write-error.ts';
export type { IntakeReserve, IntakeSpace, IntakeWriterOptions } from './writer-options.ts';
