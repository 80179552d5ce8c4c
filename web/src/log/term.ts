/** Names that the query language writes with a colon; all others are fields of lines, `name=value`. */
const named = new Set(['host', 'app', 'source', 'via', 'listener', 'severity', 'facility', 'pid', 'message']);

/** `app:sshd`, `user=alice`; quoted where the value is more than one plain word. */
export const term = (name: string, value: string): string => {
  const quoted = /^[\w.@-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
  return `${name}${named.has(name) ? ':' : '='}${quoted}`;
};
