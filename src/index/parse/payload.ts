import { readAudit } from './audit.ts';
import type { ByteString } from './byte-string.ts';
import { readJson } from './json-payload.ts';
import { readPairs } from './key-value.ts';
import { none, type Parsed } from './parsed.ts';
import { severityNumber } from './priority.ts';
import { readSentence } from './sentences.ts';

/**
 * Looks into the message, whatever header it came with: NUL, LF and CR at its end are not part of it; what it holds of
 * JSON, of an audit record, of sentences that are known, or of `key=value` pairs becomes fields. The line stays as it is.
 */
export const readPayload = (raw: ByteString, parsed: Parsed): void => {
  let end = parsed.messageEnd;
  while (end > parsed.messageStart) {
    const last = raw.charCodeAt(end - 1);
    if (last !== 0 && last !== 10 && last !== 13) break;
    end -= 1;
  }
  parsed.messageEnd = end;
  const first = raw.charCodeAt(parsed.messageStart);
  if ((first === 123 || first === 64) && readJson(raw, parsed)) return;
  if (readAudit(raw, parsed) || readSentence(raw, parsed)) return;
  const { fields } = parsed;
  const before = fields.length;
  readPairs(raw, parsed.messageStart, end, fields);
  if (parsed.severity !== none) return;
  for (let i = before; i < fields.length; i += 2)
    if (fields[i] === 'level') parsed.severity = severityNumber(fields[i + 1] ?? '') ?? none;
};
