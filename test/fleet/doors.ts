import type { DoorsReport } from '#inspect';
import type { Host } from './host.ts';

/** What of `services list` other tools can be held against: `tcp 0.0.0.0 80`, `unix /run/x.sock`, `raw :: 58`. */
export type DoorSet = ReadonlySet<string>;

/** By Holdfast, run in the host as its root. */
export const doorsByHoldfast = async (host: Host): Promise<DoorsReport> =>
  JSON.parse(
    await host.ok(['/opt/holdfast/bin/holdfast', 'services', 'list', '--all', '--json'], {
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        HOLDFAST_STATE: '/tmp/none',
        NODE_COMPILE_CACHE: '/tmp/compiled',
      },
    }),
  );

/** Those with a socket, in the host's own namespace, or in one with a name. */
export const socketsOf = ({ listeners }: DoorsReport, namespace: string | null): DoorSet =>
  new Set(
    listeners
      .filter(
        (one) =>
          (namespace === null ? one.netns.own : one.netns.name === namespace) && one.translatedBy === null,
      )
      .map(({ protocol, address, port }) =>
        protocol === 'unix'
          ? `unix ${address}`
          : protocol === 'packet'
            ? `packet ${address}`
            : `${protocol} ${address} ${port}`,
      ),
  );

const kinds: Readonly<Record<string, string>> = {
  u_str: 'unix',
  u_dgr: 'unix',
  u_seq: 'unix',
  p_raw: 'packet',
  p_dgr: 'packet',
};

/**
 * `ss`: everything that listens or is not connected. Unix sockets without a name are nobody's door. Datagram sockets that
 * somebody is connected to, such as /dev/log, look connected themselves: those without a peer still take from anyone.
 */
export const doorsBySs = async (host: Host, inside: readonly string[]): Promise<string[]> => {
  const text = await host.ok([...inside, 'ss', '-H', '-l', '-n', '-t', '-u', '-w', '-0', '-x', '-S']);
  const all = await host.ok([...inside, 'ss', '-H', '-a', '-n', '-x']);
  const datagrams = [...all.matchAll(/^u_dgr +\S+ +\d+ +\d+ +(\S+) +\d+ +\* 0 *$/gm)].flatMap(
    ([, path = '*']) => (path === '*' ? [] : [`unix ${path}`]),
  );
  const listening = text.split('\n').flatMap((line) => {
    const [kind = '', , , , local = ''] = line.trim().split(/ +/);
    if (kind === '' || kind === 'nl') return [];
    const protocol = kinds[kind] ?? kind;
    if (protocol === 'unix') return local === '*' ? [] : [`unix ${local}`];
    const at = local.lastIndexOf(':');
    const [address, port] = [local.slice(0, at), local.slice(at + 1)];
    if (protocol === 'packet') return [`packet ${port}`];
    return [`${protocol} ${plain(address)} ${port}`];
  });
  return [...listening, ...datagrams];
};

/** `lsof`: TCP that listens, UDP without a peer. It says `*` of every wildcard, and which family apart. */
export const doorsByLsof = async (host: Host): Promise<string[]> => {
  const { stdout } = await host.run(['lsof', '-nP', '-i', '-F', 'tPnT']);
  const doors: string[] = [];
  let file = { type: '', protocol: '', name: '' };
  const take = (state: string | null): void => {
    const { type, protocol, name } = file;
    const isDoor = protocol === 'TCP' ? state === 'LISTEN' : protocol === 'UDP' && !name.includes('->');
    const at = name.lastIndexOf(':');
    const address = name.slice(0, at);
    if (isDoor && name !== '' && name.slice(at + 1) !== '*')
      doors.push(
        `${protocol.toLowerCase()} ${address === '*' ? (type === 'IPv6' ? '::' : '0.0.0.0') : plain(address)} ${name.slice(at + 1)}`,
      );
  };
  for (const line of stdout.split('\n')) {
    const [field, value] = [line[0], line.slice(1)];
    if (field === 'f') file = { type: '', protocol: '', name: '' };
    if (field === 't') file.type = value;
    if (field === 'P') file.protocol = value;
    if (field === 'n') {
      file.name = value;
      if (file.protocol === 'UDP') take(null);
    }
    if (field === 'T' && value.startsWith('ST=')) take(value.slice(3));
  }
  return doors;
};

/** `systemctl list-sockets`: what systemd listens on; not its FIFOs and netlink sockets, which nobody connects to. */
export const doorsBySystemd = async (host: Host): Promise<string[]> => {
  const rows: { listen: string }[] = JSON.parse(
    await host.ok(['systemctl', 'list-sockets', '--output=json', '--no-pager']),
  );
  const paths = rows.map(({ listen }) => listen);
  const sockets = (
    await host.ok(['sh', '-c', 'for path; do [ ! -S "$path" ] || echo "$path"; done', 'sh', ...paths])
  )
    .split('\n')
    .filter((path) => path !== '');
  return [
    ...sockets.map((path) => `unix ${path}`),
    ...paths.flatMap((listen) => {
      const [, six, four, port] = /^(?:\[([^\]]+)\]|([\d.]+)):(\d+)$/.exec(listen) ?? [];
      return port === undefined ? [] : [`? ${six ?? four} ${port}`];
    }),
  ];
};

/** ss writes `*` for a wildcard of both families, `[::]`, `0.0.0.0%lo`, `127.0.0.53%lo`. */
const plain = (address: string): string =>
  address
    .replace(/^\[|\]$/g, '')
    .replace(/%.*$/, '')
    .replace(/\]$/, '')
    .replace(/^\*$/, '::');
