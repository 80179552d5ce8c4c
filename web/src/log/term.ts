/** Names that the query language writes with a colon; all others are fields of lines, `name=value`. */
const named = new Set(['host', 'app', 'source', 'via', 'listener', 'severity', 'facility', 'pid', 'message']);

/** `app:sshd`, `user=alice`; quoted where the value is more than one plain word. `null`: of the lines without one. */
export const term = (name: string, value: string | null): string => {
  if (value === null) return termOfNone(name);
  const quoted = /^[\w.@-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
  return `${name}${named.has(name) ? ':' : '='}${quoted}`;
};

/** What finds the lines that have nothing under a name, whichever of its names that is. */
const termOfNone = (name: string): string => {
  switch (name.toLowerCase()) {
    case 'host':
    case 'hostname':
    case 'sender':
    case 'app':
    case 'program':
    case 'source':
    case 'via':
    case 'listener':
      return `${name}:""`;
    case 'severity':
    case 'level':
    case 'facility':
      return `-${name}:*`;
    case 'pid':
      return `-${name}:>=0`;
    case 'message':
      return '/^$/';
    default:
      // A field that is there and empty is counted with those that are not there.
      return `(-${name}=* OR ${name}="")`;
  }
};
