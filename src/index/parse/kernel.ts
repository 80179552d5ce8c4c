import type { ByteString } from './byte-string.ts';
import { none, plainText, type Parsed } from './parsed.ts';

/**
 * One record of /dev/kmsg: `priority,sequence,µs since boot,flags[,…];text`, then continuation lines ` KEY=value`
 * (Documentation/ABI/testing/dev-kmsg). Such a record has no wall-clock time.
 */
export const parseKernel = (raw: ByteString): Parsed => {
  const semicolon = raw.indexOf(';');
  const head = semicolon < 0 || semicolon > 200 ? [] : raw.slice(0, semicolon).split(',');
  const [priority, sequence, sinceBoot] = head;
  if (
    priority === undefined ||
    sequence === undefined ||
    sinceBoot === undefined ||
    !/^\d{1,6}$/.test(priority)
  )
    return { ...plainText(raw), app: 'kernel' };
  const fields: ByteString[] = ['kernel.sequence', sequence, 'kernel.usec', sinceBoot];
  const lineFeed = raw.indexOf('\n', semicolon);
  const end = lineFeed < 0 ? raw.length : lineFeed;
  if (lineFeed >= 0) {
    for (const line of raw.slice(lineFeed + 1).split('\n')) {
      const equals = line.indexOf('=');
      if (line.startsWith(' ') && equals > 1)
        fields.push(`kernel.${line.slice(1, equals)}`, line.slice(equals + 1));
    }
  }
  const value = Number(priority);
  return {
    ...plainText(raw),
    app: 'kernel',
    facility: value >> 3 < 24 ? value >> 3 : none,
    severity: value & 7,
    messageStart: semicolon + 1,
    messageEnd: end,
    fields,
    confidence: 100,
  };
};
