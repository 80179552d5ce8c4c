import { isObject } from '../fields.ts';
import type { ParseContext } from '../parsed.ts';
import { parseSyslogLine } from '../syslog-line.ts';
import { documentPart, objectPart, parseValue } from './document.ts';
import { textPart, type Part } from './part.ts';
import { textLines, trimmed } from './text-lines.ts';

const LF = 0x0a;
const openBracket = 0x5b;
const openBrace = 0x7b;

/**
 * A JSON value on each line, or one over several lines, or a list of them. What is no JSON object is a line of text, and
 * is read as syslog is.
 */
export function* jsonLines(bytes: Buffer, context: ParseContext): Generator<Part> {
  const text = trimmed(bytes);
  if (text[0] === openBrace || text[0] === openBracket) {
    const whole = parseValue(text);
    if (isObject(whole)) {
      yield objectPart(bytes, whole, context);
      return;
    }
    if (Array.isArray(whole) && whole.length > 0 && whole.every(isObject)) {
      for (const one of whole) yield objectPart(Buffer.from(JSON.stringify(one)), one, context);
      return;
    }
  }
  if (text.indexOf(LF) < 0) {
    if (text.length > 0) yield jsonLine(bytes, context);
    return;
  }
  for (const line of textLines(bytes)) yield jsonLine(line, context);
}

const jsonLine = (line: Buffer, context: ParseContext): Part =>
  (trimmed(line)[0] === openBrace ? documentPart(line, context) : null) ?? syslogPart(line, context);

const syslogPart = (line: Buffer, context: ParseContext): Part => {
  const part = textPart(line);
  return { ...part, parsed: parseSyslogLine(part.raw, context) };
};
