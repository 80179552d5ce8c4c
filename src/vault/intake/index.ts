export { deliveryFixed, deliveryMagic, encodeDeliveryFixed } from './delivery.ts';
export { parseDelivery, senderNames, type Delivery } from './parse-delivery.ts';
export {
  formatPosition,
  isIntakeName,
  parsePosition,
  type FilePosition,
  type IntakePosition,
} from './position.ts';
export { openIntakeReader, type IntakePiece, type IntakeReader } from './reader.ts';
export { addRecord, isFull, newLines, splitDelivery, type Lines, type Splitting } from './split.ts';
export { openIntakeWriter, type IntakeWriter, type PendingDelivery } from './writer.ts';
export { IntakeWriteError, type IntakeWriteErrorCode } from './write-error.ts';
export type { IntakeWriterOptions } from './writer-options.ts';
