import { scanBsd } from './bsd-time.ts';
import type { ByteString } from './byte-string.ts';
import type { ParseContext } from './parsed.ts';
import { Guessed } from './parsed.ts';
import { digits, scanIso, type LocalTime, type Scanned } from './timestamp.ts';

/** `%FACILITY-SEVERITY-MNEMONIC`, as IOS, IOS-XE, NX-OS, IOS-XR, ASA and FTD begin what they say. */
export type Mnemonic = { facility: ByteString; severity: number; mnemonic: ByteString };

const mnemonicPattern = /%([A-Z][A-Z0-9_-]{0,60}?)-([0-7])-([A-Za-z0-9_]{1,60})(?=[ :]|$)/y;

export const mnemonicAt = (text: ByteString, at: number): Mnemonic | null => {
  if (text.charCodeAt(at) !== 37) return null;
  mnemonicPattern.lastIndex = at;
  const [, facility, severity, mnemonic] = mnemonicPattern.exec(text) ?? [];
  return facility === undefined || severity === undefined || mnemonic === undefined
    ? null
    : { facility, severity: Number(severity), mnemonic };
};

/** What a device puts before its message. */
export type CiscoHead = {
  end: number;
  host: ByteString;
  scanned: Scanned | null;
  /** Name, value, … */
  fields: ByteString[];
};

/** `00:00:46`, `1d02h`, `2w3d`: time since the device started; and `101 21`, which older ones wrote for it. */
const uptimePattern = /(\d{1,4}:\d\d:\d\d|(?:\d{1,4}[ywdhms]){1,4}|\d{1,9} \d{1,9})(?=: )/y;
const wordPattern = /([A-Za-z0-9][\w.:-]{0,254}?)(?=: )/y;
const nodePattern = /([A-Za-z0-9]+\/[\w/]{1,30}):/y;
const taskPattern = /\*([\w.-]{1,60}): /y;

const found = (pattern: RegExp, text: ByteString, at: number): ByteString | null => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[1] ?? null;
};

/**
 * Cisco's header between priority and message: any of message count, host (`logging origin-id`), sequence number
 * (`service sequence-numbers`), IOS-XR's node, the time (`service timestamps`) or the time since the start, each ended by
 * a colon. `*` before the time: its clock was never set; `.`: it lost its source. `null` if the line is no such one.
 */
export const scanCiscoHead = (
  text: ByteString,
  start: number,
  context: ParseContext,
  local: LocalTime,
): CiscoHead | null => {
  const head: CiscoHead = { end: start, host: '', scanned: null, fields: [] };
  let numbered = false;
  let node = false;
  for (let parts = 0; parts < 8; parts += 1) {
    while (text.charCodeAt(head.end) === 32 || text.charCodeAt(head.end) === 58) head.end += 1;
    const at = head.end;
    if (mnemonicAt(text, at) !== null) return head;
    const time = head.scanned === null ? scanDeviceTime(text, at, context, local) : null;
    if (time !== null) {
      head.scanned = time;
      head.end = time.end;
      if ((time.guessed & Guessed.clock) !== 0)
        head.fields.push('clock', text.charCodeAt(at) === 42 ? 'not set' : 'not synchronised');
      continue;
    }
    const task = found(taskPattern, text, at);
    if (task !== null) {
      head.fields.push('task', task);
      head.end = at + task.length + 3;
      continue;
    }
    const uptime = head.scanned === null ? found(uptimePattern, text, at) : null;
    if (uptime !== null) {
      head.fields.push('uptime', uptime);
      head.end = at + uptime.length;
      continue;
    }
    const xr = node ? null : found(nodePattern, text, at);
    if (xr !== null) {
      node = true;
      head.fields.push('node', xr);
      head.end = at + xr.length;
      continue;
    }
    const word = head.scanned === null ? found(wordPattern, text, at) : null;
    if (word === null) break;
    if (digits(word, 0, word.length) >= 0) {
      numbered = true;
      head.fields.push('sequence', word);
    } else if (head.host === '') head.host = word;
    else break;
    head.end = at + word.length;
  }
  return head.scanned !== null && (numbered || node) ? head : null;
};

/** The time, with its mark, ended by a colon. */
const scanDeviceTime = (
  text: ByteString,
  at: number,
  context: ParseContext,
  local: LocalTime,
): Scanned | null => {
  const mark = text.charCodeAt(at);
  const marked = mark === 42 || mark === 46 || mark === 59 ? 1 : 0;
  const scanned = scanBsd(text, at + marked, context.received, local) ?? scanIso(text, at + marked, local);
  if (scanned === null) return null;
  const colon = text.charCodeAt(scanned.end) === 32 ? scanned.end + 1 : scanned.end;
  if (text.charCodeAt(colon) !== 58) return null;
  return {
    time: scanned.time,
    end: colon,
    guessed: scanned.guessed | (marked === 1 ? Guessed.clock : 0),
  };
};
