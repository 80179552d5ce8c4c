import { decodeRecord } from '#vault/record';

/** The listener in a record head as `encodeRecordHead` gives it. */
export const headListener = (head: Buffer): string => {
  const record = Buffer.from(head);
  record.writeUInt32BE(record.length - 4);
  return decodeRecord(record).record.listener;
};
