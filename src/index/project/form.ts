/** So many bytes of a message are looked at, and so many words of them. */
const looked = 32;
const words = 2;
const forms = 16;

/**
 * Tells messages apart by how they begin, 0 to 15: those that one statement of a program writes mostly have the same. The
 * first two words count, but for those with a digit, which differ from line to line. Rows are kept in order of it, so
 * that lines of one form stand together; nothing else hangs on it.
 * @param start, end where the message is
 */
export const formOf = (bytes: Uint8Array, start: number, end: number): number => {
  const last = Math.min(end, start + looked);
  let hash = 0;
  /** With the word in hand; the same as `hash` where there is none. */
  let withWord = 0;
  let left = words;
  let hasDigit = false;
  for (let at = start; at < last && left > 0; at += 1) {
    const code = bytes[at] ?? 0;
    const letter = code | 0x20;
    if (letter >= 0x61 && letter <= 0x7a) withWord = Math.imul(withWord ^ code, 0x0100_0193);
    else if (code >= 0x30 && code <= 0x39) hasDigit = true;
    else if (withWord !== hash || hasDigit) {
      if (!hasDigit) {
        hash = withWord;
        left -= 1;
      }
      withWord = hash;
      hasDigit = false;
    }
  }
  if (last === end && left > 0 && !hasDigit) hash = withWord;
  return ((hash ^ (hash >>> 15)) >>> 3) % forms;
};
