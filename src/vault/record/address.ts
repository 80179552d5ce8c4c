/** `[<vault>/]<entry>:<line>[/<k>]`: outer-log entry, line in its batch (0 is the manifest), k-th part of a body. */
export type LineAddress = string & { readonly __kind: 'line address' };

export const lineAddress = (entry: number, line: number): LineAddress => `${entry}:${line}` as LineAddress;

const pattern = /^(0|[1-9]\d{0,15}):(0|[1-9]\d{0,9})(?:\/(0|[1-9]\d{0,9}))?$/;

/** The parts of an address of this vault, or `null` if the text is none: that of another vault is none here. */
export const parseLineAddress = (
  text: string,
): { entry: number; line: number; part: number | null } | null => {
  const match = pattern.exec(text);
  if (match === null) return null;
  return {
    entry: Number(match[1]),
    line: Number(match[2]),
    part: match[3] === undefined ? null : Number(match[3]),
  };
};
