/** JSON that is read as a whole, bytes. */
const mostJson = 32 * 1024 * 1024;
/** Objects and arrays in it: an empty one takes two bytes, and fifty times that once it is read. */
const mostContainers = 2_000_000;
/** Too short to hold too many of them. */
const littleEnough = 1024 * 1024;

/** Why JSON is not to be read as a whole, whether it is JSON or not; or `null`. */
export const tooMuch = (json: Buffer): string | null => {
  if (json.length <= littleEnough) return null;
  if (json.length > mostJson) return `JSON of more than ${mostJson} bytes`;
  return containersIn(json) > mostContainers ? `JSON of more than ${mostContainers} objects and lists` : null;
};

const backslash = 0x5c;
const quote = 0x22;
const openBracket = 0x5b;
const openBrace = 0x7b;

const containersIn = (json: Buffer): number => {
  let count = 0;
  let isText = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === quote) isText = !isText;
    else if (isText) {
      if (byte === backslash) at += 1;
    } else if (byte === openBrace || byte === openBracket) count += 1;
  }
  return count;
};
