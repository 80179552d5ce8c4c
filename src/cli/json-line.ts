/**
 * A value as one line of JSON. What JSON leaves as it is but a terminal obeys (DEL, C1 controls, bidirectional
 * overrides) is written as `\uXXXX`, which means the same to every parser.
 */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value).replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;

const unsafe = /[\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
