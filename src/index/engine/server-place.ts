/** A ClickHouse server, or a cluster of them, that keeps the index. No secret is in it. */
export type ServerPlace = {
  /** `https://host:8443`, without anything behind it. */
  url: string;
  user: string;
  /** What the names of its databases begin with; each vault has its own. */
  database: string;
  /** Name of the cluster in the servers' `remote_servers`; `null`: one server by itself. */
  cluster: string | null;
};

/**
 * `https://USER@HOST:8443/DATABASE?cluster=NAME`; USER is `default` and DATABASE `holdfast` where they are left out.
 * @returns what is wrong with it, in words that do not repeat it: it may hold a password
 */
export const parseServerPlace = (text: string): ServerPlace | string => {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    return 'is no https:// or http:// address';
  if (url.password !== '')
    return 'must not hold a password: everybody on this machine can read a command line. Put it into a file and name that with --index-password-file';
  const database = url.pathname.replaceAll('/', '') || 'holdfast';
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(database) || url.pathname.split('/').length > 3)
    return `has a path that is no name of a database (small letters, digits, _)`;
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'cluster');
  if (unknown !== undefined || url.hash !== '') return 'may hold nothing behind ? but cluster=NAME';
  const cluster = url.searchParams.get('cluster');
  if (cluster !== null && !/^(?:[A-Za-z0-9_.-]{1,64}|\{cluster\})$/.test(cluster))
    return 'names a cluster that cannot be one (letters, digits, _ . -)';
  const user = decodeURIComponent(url.username) || 'default';
  return { url: url.origin, user, database, cluster };
};
