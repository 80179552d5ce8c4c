const LF = 0x0a;
const CR = 0x0d;
const space = 0x20;

/** Lines of a text that are not empty, without LF or CR LF; views. */
export function* textLines(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const found = bytes.indexOf(LF, at);
    const lineEnd = found < 0 ? bytes.length : found;
    const end = lineEnd > at && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    if (end > at) yield bytes.subarray(at, end);
    at = lineEnd + 1;
  }
}

/** Without white space at both ends; a view. */
export const trimmed = (bytes: Buffer): Buffer => {
  let start = 0;
  let end = bytes.length;
  while (start < end && (bytes[start] ?? 0) <= space) start += 1;
  while (end > start && (bytes[end - 1] ?? 0) <= space) end -= 1;
  return bytes.subarray(start, end);
};
