import { isIPv6 } from 'node:net';
import { accounts } from './accounts.ts';
import { speaksTls, type Allowed, type ListenOn } from '#wire/listen';

/** What a configuration meets on this machine. */
export type Circumstances = {
  listen: readonly ListenOn[];
  allowed: Allowed;
  witnesses: number;
  /** Where the index is, if not in the indexer's process, and how its files are. */
  indexServer: {
    url: string;
    cluster: string | null;
    passwordFile: string | null;
    /** Permission bits; `null` = there is no such file, or it could not be looked at. */
    passwordMode: number | null;
    /** Whether the CA file is there; `null`: none is named. */
    ca: 'there' | 'missing' | null;
  } | null;
  uid: number;
  /** net.core.rmem_max, bytes; `null` = could not be read. */
  rmemMax: number | null;
  /** RLIMIT_NOFILE that a process may raise itself to. */
  openFiles: number | null;
  /** net.ipv4.ip_unprivileged_port_start */
  unprivilegedPort: number;
  /** When the certificate of TLS listeners ends, µs since the epoch; `null` = there is none yet: `up` makes it. */
  certificateEnds: number | null;
  /** What [[notify]] names by its path: secrets, certificates, commands; the mode is `null` where there is nothing. */
  notifyFiles: readonly { notify: string; path: string; secret: boolean; mode: number | null }[];
  /** µs since the epoch */
  now: number;
};

/** Something that an operator should know of before it hurts. `bad`: it does not start, or lines get lost. */
export type Concern = { severity: 'bad' | 'warning' | 'note'; what: string; why: string; remedy: string };

/** Bytes of receive buffer asked for each UDP socket. */
const udpBuffer = 64 * 1024 * 1024;
const connections = 10_000;
const day = 86_400_000_000;

/** Judges a configuration; touches nothing. */
export const concernsOf = (facts: Circumstances): Concern[] =>
  [
    smallBuffer,
    plainBeyond,
    everybody,
    lowPort,
    fewFiles,
    oldCertificate,
    noWitness,
    notifyFile,
    plainIndex,
    indexFiles,
  ].flatMap((judge) => judge(facts));

const isLoopback = (host: string): boolean => /^(127\.|\[?::1\]?$|localhost$)/.test(host);

const shown = ({ kind, host, port }: ListenOn): string =>
  `${kind}=${isIPv6(host) ? `[${host}]` : host}:${port}`;

const smallBuffer = ({ listen, rmemMax }: Circumstances): Concern[] => {
  const udp = listen.filter(({ kind }) => kind.endsWith('-udp'));
  if (udp.length === 0 || rmemMax === null || rmemMax >= udpBuffer) return [];
  return [
    {
      severity: 'warning',
      what: udp.map(shown).join(', '),
      why: `net.core.rmem_max is ${rmemMax}: the kernel keeps so many bytes of datagrams that wait, and drops what comes in a burst beyond them (it is counted)`,
      remedy: `echo 'net.core.rmem_max=${udpBuffer}' > /etc/sysctl.d/90-holdfast.conf && sysctl -p /etc/sysctl.d/90-holdfast.conf, then start Holdfast again`,
    },
  ];
};

const plainBeyond = ({ listen }: Circumstances): Concern[] =>
  listen
    .filter(({ kind, host }) => !isLoopback(host) && !speaksTls(kind))
    .map((one) => ({
      severity: 'warning',
      what: shown(one),
      why: 'what comes there is neither encrypted nor authenticated: whoever is on the way can read it, and change it before it is here',
      remedy:
        'use a listener over TLS (syslog-tls, relp-tls, https, agent), or keep it within a network that is yours alone',
    }));

const everybody = ({ listen, allowed }: Circumstances): Concern[] => {
  const open = allowed.networks.filter((network) => network.endsWith('/0'));
  if (open.length === 0 || listen.every(({ host }) => isLoopback(host))) return [];
  return [
    {
      severity: 'warning',
      what: `--allow ${open.join(' ')}`,
      why: 'everybody who can reach the port may write into the log',
      remedy: 'name the networks of your senders; `holdfast hosts firewall` makes rules of them',
    },
  ];
};

const lowPort = ({ listen, uid, unprivilegedPort }: Circumstances): Concern[] =>
  uid === 0
    ? []
    : listen
        .filter(({ port }) => port > 0 && port < unprivilegedPort)
        .map((one) => ({
          severity: 'bad',
          what: shown(one),
          why: `this user may not bind ports below ${unprivilegedPort}`,
          remedy: 'use a higher port, or start it as root (its processes give root up)',
        }));

const fewFiles = ({ openFiles }: Circumstances): Concern[] =>
  openFiles === null || openFiles >= connections
    ? []
    : [
        {
          severity: 'note',
          what: 'connections at a time',
          why: `the limit on open files is ${openFiles}: about that many senders, less a hundred, can be connected; others are refused and counted`,
          remedy: `raise it: ulimit -n ${connections + 1000}, or LimitNOFILE= in the unit`,
        },
      ];

const oldCertificate = ({ listen, certificateEnds, now }: Circumstances): Concern[] => {
  if (certificateEnds === null || !listen.some(({ kind }) => speaksTls(kind))) return [];
  const days = Math.floor((certificateEnds - now) / day);
  if (days > 14) return [];
  return [
    {
      severity: days < 0 ? 'bad' : 'warning',
      what: 'the certificate of the listeners over TLS',
      why: days < 0 ? 'it has expired: senders refuse it' : `it expires in ${days} days`,
      remedy: 'it is renewed while Holdfast runs; if it is not, look at what the issuer says',
    },
  ];
};

const plainIndex = ({ indexServer }: Circumstances): Concern[] => {
  if (indexServer === null || !indexServer.url.startsWith('http:')) return [];
  if (isLoopback(new URL(indexServer.url).hostname)) return [];
  return [
    {
      severity: 'warning',
      what: `--index-url ${indexServer.url}`,
      why: 'every line, and the password, goes there unencrypted',
      remedy: 'use the servers’ HTTPS port (8443), with --index-ca where their authority is your own',
    },
  ];
};

const indexFiles = ({ indexServer }: Circumstances): Concern[] => {
  if (indexServer === null) return [];
  const { passwordFile, passwordMode, ca } = indexServer;
  return [
    ...(passwordFile !== null && passwordMode === null
      ? [
          {
            severity: 'bad' as const,
            what: passwordFile,
            why: 'there is no such file, or it cannot be looked at: the index stands still until there is',
            remedy: 'write the password into it, for the indexer’s user to read',
          },
        ]
      : []),
    ...(passwordMode !== null && (passwordMode & 0o004) !== 0
      ? [
          {
            severity: 'warning' as const,
            what: passwordFile ?? '',
            why: 'everybody on this machine can read the password',
            remedy: 'chmod 640, with a group that the indexer is in',
          },
        ]
      : []),
    ...(ca === 'missing'
      ? [
          {
            severity: 'bad' as const,
            what: '--index-ca',
            why: 'there is no such file: the index is not opened',
            remedy: 'name a PEM file with the certificate of the authority',
          },
        ]
      : []),
  ];
};

const noWitness = ({ witnesses }: Circumstances): Concern[] =>
  witnesses > 0
    ? []
    : [
        {
          severity: 'note',
          what: 'witnesses',
          why: 'nobody outside remembers what the log has signed: whoever puts back the whole state directory is not found out, and every verdict says freshness unknown',
          remedy: 'run `holdfast witness` on another host (docs/evidence.md)',
        },
      ];

const notifyFile = ({ notifyFiles }: Circumstances): Concern[] =>
  notifyFiles.flatMap(({ notify, path, secret, mode }): Concern[] => {
    const what = `${path} of notify "${notify}"`;
    if (mode === null)
      return [
        {
          severity: 'warning',
          what,
          why: 'it is not there: each delivery fails until it is, and is tried again',
          remedy: `put it there; then: holdfast alerts test ${notify}`,
        },
      ];
    if (!secret || (mode & 0o004) === 0) return [];
    return [
      {
        severity: 'warning',
        what,
        why: 'every user of this machine can read it',
        remedy: `chown it to the courier (holdfast-courier, or uid ${accounts.courier.uid} with holdfast up) and chmod 400 ${path}`,
      },
    ];
  });
