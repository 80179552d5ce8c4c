import type { LoggingReport, LogFile } from '#inspect';
import type { Finding } from '#wire/audit';
import { configure, investigate, loggingFinding as finding } from './phrases.ts';

/** Judges section `logging`: whether what happens here can be known later, by somebody whom an intruder cannot bend. */
export const findLogging = (report: LoggingReport): Finding[] => [
  ...staysHere(report),
  ...notRunning(report),
  ...thrownAway(report),
  ...notPersistent(report),
  ...unshipped(report),
  ...lossy(report),
  ...losses(report),
  ...clock(report),
  ...permissions(report),
  ...deleted(report),
  ...rotation(report),
  ...audit(report),
];

const list = (files: readonly LogFile[], limit = 12): string[] => [
  ...files
    .slice(0, limit)
    .map(
      (file) =>
        `${file.path}${file.writers.length === 0 ? `, last written ${file.modified ?? 'at an unknown time'}` : `, open for writing by ${file.writers.map((writer) => `${writer.name} (pid ${writer.pid})`).join(', ')}`}`,
    ),
  ...(files.length > limit ? [`and ${files.length - limit} more files`] : []),
];

/** Logs that grow and are no binary tables such as wtmp. */
const textLogs = (report: LoggingReport): LogFile[] =>
  report.files.filter((file) => file.content !== 'binary' && !file.deleted);

const staysHere = (report: LoggingReport): Finding[] => {
  const { leavesHost, holdfast, shippers, journal } = report;
  if (leavesHost !== false) return [];
  const evidence = [
    shippers.length === 0
      ? 'no log shipper is running or configured'
      : shippers
          .map(
            (shipper) =>
              `${shipper.name}: ${shipper.destinations.length === 0 ? 'no destination' : shipper.destinations.map((each) => each.target).join(', ')}`,
          )
          .join('; '),
    journal.running
      ? `the journal is kept here (${journal.kept ?? 'not seen where'})`
      : 'journald does not run',
    `${textLogs(report).length} text logs grow on this host`,
  ];
  if (holdfast !== null) {
    return [
      finding({
        id: 'stays-here/host',
        severity: 'medium',
        title:
          'The provable log lies on this host itself: an intruder with root can remove it, though not alter it unnoticed',
        evidence,
        options: [
          configure(
            'run `holdfast up` on another host and send the logs there, or keep its checkpoints elsewhere',
          ),
        ],
      }),
    ];
  }
  return [
    finding({
      id: 'stays-here/host',
      severity: 'high',
      title: 'No log leaves this host: an intruder with root can rewrite them all',
      evidence,
      options: [
        configure(
          'send them to a Holdfast on another host: with rsyslog, `*.* @@(o)HOST:PORT` in /etc/rsyslog.d/90-forward.conf, checked with `rsyslogd -N1`',
        ),
        configure('until then, `holdfast up` keeps a provable copy here'),
      ],
    }),
  ];
};

const notRunning = ({ shippers }: LoggingReport): Finding[] =>
  shippers
    .filter(({ pid, destinations }) => pid === null && destinations.some((each) => each.leavesHost))
    .map(({ name, destinations }) =>
      finding({
        id: `shipper-down/${name}`,
        severity: 'high',
        title: `${name} is configured to forward logs, and does not run`,
        evidence: destinations.map((each) => `${each.file}: ${each.protocol} to ${each.target}`),
        options: [configure(`\`systemctl status ${name}\` says why; \`systemctl start ${name}\` starts it`)],
      }),
    );

const thrownAway = ({ syslogSocket, journal }: LoggingReport): Finding[] =>
  syslogSocket.listening
    ? []
    : [
        finding({
          id: 'no-syslog-socket/dev-log',
          severity: 'high',
          title: 'What programs report with syslog(3) is thrown away: nothing listens on /dev/log',
          evidence: [
            '/proc/net/unix has no listener on /dev/log',
            `journald ${journal.running ? 'runs' : 'does not run'}`,
            'sshd, sudo and cron report their logins and commands this way',
          ],
          options: [
            configure(
              'start a syslog daemon: `systemctl start systemd-journald.socket`, or `apt-get install rsyslog` and start it',
            ),
          ],
        }),
      ];

const notPersistent = ({ journal }: LoggingReport): Finding[] =>
  !journal.running || journal.kept === 'persistent'
    ? []
    : journal.kept === null && journal.storage !== 'none'
      ? []
      : [
          finding({
            id: 'not-persistent/journal',
            severity: 'medium',
            title:
              journal.kept === 'volatile'
                ? 'The journal is lost at every reboot'
                : 'journald keeps nothing (Storage=none)',
            evidence: [
              `Storage=${journal.storage}`,
              journal.kept === 'volatile'
                ? 'its files lie in /run/log/journal'
                : 'there are no journal files',
            ],
            options: [
              configure(
                'put `[Journal]` and `Storage=persistent` into /etc/systemd/journald.conf.d/persistent.conf, then `systemctl restart systemd-journald` and `journalctl --flush`',
              ),
            ],
          }),
        ];

/** Logs of who came in and what they did with privileges. */
const telling = /\/(?:auth\.log|secure|sudo\.log|audit\.log|syslog|messages)$/;

/** Those that tell of privileges come first, then what lies where logs belong, then what is open. */
const weight = (file: LogFile): number =>
  (telling.test(file.path) ? 4 : 0) +
  (file.path.startsWith('/var/log/') ? 2 : 0) +
  (file.writers.length > 0 ? 1 : 0);

const unshipped = (report: LoggingReport): Finding[] => {
  const files = textLogs(report).filter((file) => file.shippedBy === null);
  if (files.length === 0) return [];
  const open = files.filter((file) => file.writers.length > 0);
  const grave =
    report.leavesHost !== false && (open.length > 0 || files.some((file) => telling.test(file.path)));
  return [
    finding({
      id: 'unshipped/files',
      severity: grave ? 'medium' : 'low',
      title:
        files.length === 1
          ? 'One log grows that nobody ships'
          : `${files.length} logs grow that nobody ships`,
      evidence: list(files.toSorted((a, b) => weight(b) - weight(a))),
      options: [
        configure(
          'with rsyslog: `input(type="imfile" File="PATH" Tag="NAME")` for each, checked with `rsyslogd -N1`',
        ),
        configure("Holdfast's agent ships every text file below /var/log: `holdfast up`"),
      ],
    }),
  ];
};

const lossy = ({ shippers }: LoggingReport): Finding[] =>
  shippers
    .filter(({ pid }) => pid !== null)
    .flatMap(({ name, destinations }) =>
      destinations
        .filter((each) => each.leavesHost && (each.protocol === 'udp' || each.tls === false))
        .map((each) =>
          finding({
            id: `plain-forwarding/${name}/${each.target}`,
            severity: each.protocol === 'udp' ? 'medium' : 'low',
            title:
              each.protocol === 'udp'
                ? `${name} forwards over UDP to ${each.target}: lines are lost unnoticed, and anybody on the way can read and forge them`
                : `${name} forwards to ${each.target} without TLS: anybody on the way can read and change the lines`,
            evidence: [`${each.file}${each.selector === null ? '' : `: ${each.selector}`}`],
            options: [
              configure(
                'forward over TLS (rsyslog: `protocol="tcp" StreamDriver="gtls" StreamDriverMode="1"`; syslog-ng: `transport("tls")`), or over RELP with TLS',
              ),
            ],
          }),
        ),
    );

const losses = ({ losses: udp, audit: daemon }: LoggingReport): Finding[] => [
  ...udp.map((loss) =>
    finding({
      id: `lost-datagrams/${loss.heldBy}/${loss.address.replaceAll(' ', '-')}`,
      severity: 'medium',
      title: `${loss.heldBy} lost ${loss.dropped} datagrams: its receive buffer was full`,
      evidence: [`drops column of /proc/net/${loss.address}`],
      options: [
        configure('raise `net.core.rmem_max` and the receive buffer of the listener, or receive over TCP'),
      ],
    }),
  ),
  ...(daemon.lost !== null && daemon.lost > 0
    ? [
        finding({
          id: 'lost-audit-events/kernel',
          severity: 'medium',
          title: `The kernel lost ${daemon.lost} audit events since boot`,
          evidence: [`auditctl -s: lost ${daemon.lost}`],
          options: [
            configure(
              'raise the backlog: `-b 8192` in /etc/audit/rules.d/audit.rules, then `augenrules --load`',
            ),
          ],
        }),
      ]
    : []),
];

const clock = ({ clock: state }: LoggingReport): Finding[] =>
  state.synchronised !== false
    ? []
    : [
        finding({
          id: 'clock/host',
          severity: 'medium',
          title:
            'The clock is not synchronised: times in the logs cannot be compared with those of other hosts',
          evidence: [
            `${state.according ?? 'unknown source'}: ${state.evidence.join('; ')}`,
            state.daemon === null
              ? 'no time daemon runs (unless the hypervisor sets the clock)'
              : `${state.daemon} runs`,
          ],
          options: [
            state.daemon === null
              ? configure(
                  '`apt-get install systemd-timesyncd` or `chrony`, then `systemctl enable --now systemd-timesyncd`; in a container, on its host',
                )
              : investigate(
                  '`chronyc sources` or `timedatectl timesync-status` shows which servers it reaches',
                ),
          ],
        }),
      ];

const permissions = ({ permissions: problems }: LoggingReport): Finding[] =>
  problems.map(({ path, problem, mode }) =>
    finding({
      id: `permissions${path}`,
      severity: problem === 'anybody may read it' ? 'low' : 'high',
      title: `${path}: ${problem}`,
      evidence: [`mode ${mode}`],
      options: [
        configure(
          problem === 'anybody may read it'
            ? `\`chmod o-r ${path}\`, and set the mode where it is created (logrotate's \`create\`, rsyslog's FileCreateMode)`
            : `\`chmod o-w ${path}\``,
        ),
      ],
    }),
  );

const deleted = ({ files }: LoggingReport): Finding[] =>
  files
    .filter((file) => file.deleted && file.writers.length > 0)
    .map((file) =>
      finding({
        id: `deleted-log${file.path}`,
        severity: 'medium',
        title: `${file.writers.map((writer) => writer.name).join(', ')} writes to a log that was deleted: ${file.path}`,
        evidence: file.writers.map(
          (writer) => `pid ${writer.pid} has it open; what it writes is gone when it ends`,
        ),
        options: [
          investigate(
            `make it open its log again (reload or restart pid ${file.writers.map((writer) => writer.pid).join(', ')}); what is there can still be read through /proc/${file.writers[0]?.pid ?? 'PID'}/fd`,
          ),
        ],
      }),
    );

const large = 100 << 20;

const rotation = (report: LoggingReport): Finding[] => {
  const files = textLogs(report).filter((file) => !file.rotated && (file.bytes ?? 0) > large);
  return files.length === 0
    ? []
    : [
        finding({
          id: 'not-rotated/files',
          severity: 'low',
          title: `${files.length === 1 ? 'A log' : `${files.length} logs`} of more than 100 MiB: logrotate takes no care of them, and a full disk ends all logging`,
          evidence: files
            .slice(0, 12)
            .map((file) => `${file.path}: ${Math.round((file.bytes ?? 0) / (1 << 20))} MiB`),
          options: [
            configure(
              'add them to a file in /etc/logrotate.d/, tested with `logrotate --debug /etc/logrotate.conf`',
            ),
          ],
        }),
      ];
};

const audit = ({ audit: daemon }: LoggingReport): Finding[] =>
  daemon.running
    ? []
    : [
        finding({
          id: 'no-audit/host',
          severity: daemon.installed ? 'low' : 'info',
          title: daemon.installed
            ? 'auditd is installed, and does not run'
            : 'No audit daemon: who ran what is not recorded by the kernel',
          evidence: [
            daemon.installed ? '/etc/audit/auditd.conf exists' : '/etc/audit/auditd.conf does not exist',
            'no process is named auditd',
          ],
          options: [
            configure(
              daemon.installed ? '`systemctl start auditd`' : 'where it is wanted: `apt-get install auditd`',
            ),
          ],
        }),
      ];
