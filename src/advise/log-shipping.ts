import type { LoggingReport } from '#inspect';
import type { Finding, Option } from '#wire/audit';
import { restart, rsyslog, start, syslogNg } from './daemon-steps.ts';
import { configure, loggingFinding as finding } from './phrases.ts';
import { textLogs } from './log-files.ts';

/** Whether logs leave this host, by whom, and how safely. */
export const findLogShipping = (report: LoggingReport): Finding[] => [
  ...staysHere(report),
  ...notRunning(report),
  ...lossy(report),
];

const syslogDaemons = { rsyslog, 'syslog-ng': syslogNg };
const isSyslogDaemon = (name: string): name is keyof typeof syslogDaemons => name in syslogDaemons;

/** One line for each that ships or keeps logs, Holdfast included. */
const shippersSeen = ({ shippers, holdfast }: LoggingReport): string[] => {
  const lines = shippers.map(
    ({ name, pid, destinations }) =>
      `${name}${pid === null ? ', which does not run' : ''}: ${destinations.length === 0 ? 'sends nothing anywhere' : `sends to ${destinations.map((each) => each.target).join(', ')}`}`,
  );
  if (holdfast !== null) {
    const takes = [
      ...(holdfast.journal ? ['the journal'] : []),
      ...(holdfast.kernel ? ["the kernel's messages"] : []),
      ...holdfast.files,
    ];
    lines.push(
      `holdfast: takes in ${takes.join(', ')}, and keeps it ${holdfast.destination === null ? 'on this host' : `on ${holdfast.destination}`}`,
    );
  }
  return lines.length === 0 ? ['no log shipper is running or configured'] : lines;
};

const staysHere = (report: LoggingReport): Finding[] => {
  const { leavesHost, holdfast, journal } = report;
  if (leavesHost !== false) return [];
  const evidence = [
    ...shippersSeen(report),
    journal.running === null
      ? 'whether journald runs could not be seen'
      : journal.running
        ? `the journal is kept here (${journal.kept ?? 'not seen where'})`
        : 'journald does not run',
    `${textLogs(report).length} text logs grow on this host`,
  ];
  return [
    holdfast === null
      ? finding({
          id: 'stays-here/host',
          severity: 'high',
          title: 'No log leaves this host: an intruder with root can rewrite them all',
          evidence,
          options: [
            ...forwarding(report),
            configure('until then: `holdfast up` here; what it has taken in cannot be altered unnoticed'),
          ],
        })
      : finding({
          id: 'stays-here/host',
          severity: 'medium',
          title:
            'No log leaves this host: an intruder with root can remove what Holdfast keeps, though not alter it unnoticed',
          evidence,
          options: [
            ...forwarding(report),
            configure(
              'or copy `vault/` of the state directory (/var/lib/holdfast unless `--state` says otherwise) to another host regularly, and keys/vault.vkey once: `holdfast vault verify --state COPY --key vault.vkey` checks it there',
            ),
          ],
        }),
  ];
};

/** A Holdfast on another host, and what has to be written here to send it everything. */
const forwarding = ({ shippers, init }: LoggingReport): Option[] => {
  const running = shippers.find(({ name, pid }) => pid !== null && isSyslogDaemon(name));
  const there =
    'on another host: `holdfast up --listen syslog-tcp=ADDRESS:5514` with an ADDRESS of it that only your own hosts reach (a private network or a tunnel: plain syslog is neither encrypted nor authenticated)';
  const here =
    running?.name === 'syslog-ng'
      ? `here: \`log { source(s_src); destination { syslog("ADDRESS" transport("tcp") port(5514)); }; };\` (s_src is Debian's name of the source) into /etc/syslog-ng/conf.d/90-holdfast.conf; \`syslog-ng --syntax-only\` checks it; then ${restart(syslogNg, running.pid, init)}`
      : `here: ${running === undefined ? '`apt-get install rsyslog`; then ' : ''}\`*.* action(type="omfwd" target="ADDRESS" port="5514" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" queue.type="LinkedList" action.resumeRetryCount="-1")\` into /etc/rsyslog.d/90-holdfast.conf; \`rsyslogd -N1\` checks it; then ${restart(rsyslog, running?.pid ?? null, init)}`;
  return [configure(`${there}; ${here}`)];
};

const notRunning = ({ shippers, processesSeen, init }: LoggingReport): Finding[] =>
  processesSeen !== 'all'
    ? []
    : shippers
        .filter(({ pid, destinations }) => pid === null && destinations.some((each) => each.leavesHost))
        .map(({ name, destinations }) => {
          const daemon = isSyslogDaemon(name) ? syslogDaemons[name] : null;
          const check = name === 'rsyslog' ? 'rsyslogd -N1' : 'syslog-ng --syntax-only';
          return finding({
            id: `shipper-down/${name}`,
            severity: 'high',
            title: `${name} is configured to forward logs, and does not run`,
            evidence: destinations.map((each) => `${each.file}: ${each.protocol} to ${each.target}`),
            options: [
              configure(
                daemon === null
                  ? `start ${name}`
                  : `start it: ${start(daemon, init)}; if it does not stay up, \`${check}\` checks its configuration${init === 'systemd' ? `, and \`journalctl -u ${daemon.unit} -n 50\` has what it said last` : ''}`,
              ),
            ],
          });
        });

/** What makes forwarding encrypted, in the words of each daemon. */
const tls: Record<string, (target: string) => string> = {
  rsyslog: (target) =>
    `forward over TLS: \`apt-get install rsyslog-gnutls\`, and \`action(type="omfwd" target="${target}" port="6514" protocol="tcp" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="${target}")\` with \`global(DefaultNetstreamDriverCAFile="/etc/ssl/certs/ca-certificates.crt")\` (or your own CA's file); \`rsyslogd -N1\` checks it. The receiver has to take TLS`,
  'syslog-ng': (target) =>
    `forward over TLS: \`network("${target}" port(6514) transport("tls") tls(ca-file("/etc/ssl/certs/ca-certificates.crt") peer-verify(yes)))\` (or your own CA's file); \`syslog-ng --syntax-only\` checks it. The receiver has to take TLS`,
};

const lossy = ({ shippers }: LoggingReport): Finding[] =>
  shippers
    .filter(({ pid }) => pid !== null)
    .flatMap(({ name, destinations }) =>
      destinations
        .filter((each) => each.leavesHost && (each.protocol === 'udp' || each.tls === false))
        .map((each) => {
          const udp = each.protocol === 'udp';
          const host = each.target.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
          const overTcp =
            name === 'rsyslog'
              ? `write \`@@${each.target}\` in place of \`@${each.target}\` (or \`protocol="tcp"\` in the action)`
              : 'write `transport("tcp")` in place of `transport("udp")`';
          return finding({
            id: `plain-forwarding/${name}/${each.target}`,
            severity: udp ? 'medium' : 'low',
            title: udp
              ? `${name} forwards over UDP to ${each.target}: lines are lost unnoticed, and anybody on the way can read and forge them`
              : `${name} forwards to ${each.target} without TLS: anybody on the way can read and change the lines`,
            evidence: [`${each.file}${each.selector === null ? '' : `: ${each.selector}`}`],
            options: [
              configure(
                tls[name]?.(host) ?? `forward over TLS: change ${each.target} in ${each.file} accordingly`,
              ),
              ...(udp && isSyslogDaemon(name)
                ? [
                    configure(
                      `where the receiver takes no TLS, over TCP at least, inside a private network or a tunnel: in ${each.file}, ${overTcp}`,
                    ),
                  ]
                : []),
            ],
          });
        }),
    );
