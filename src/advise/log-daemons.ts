import type { LoggingReport } from '#inspect';
import type { Finding } from '#wire/audit';
import { auditd, chrony, install, rsyslog, start } from './daemon-steps.ts';
import { configure, investigate, loggingFinding as finding } from './phrases.ts';

/** The daemons that logging rests on: who receives syslog, the journal, what they lost, the clock, the audit trail. */
export const findLogDaemons = (report: LoggingReport): Finding[] => [
  ...thrownAway(report),
  ...notPersistent(report),
  ...losses(report),
  ...clock(report),
  ...audit(report),
];

const thrownAway = ({ syslogSocket, journal, init }: LoggingReport): Finding[] =>
  syslogSocket.listening !== false
    ? []
    : [
        finding({
          id: 'no-syslog-socket/dev-log',
          severity: 'high',
          title: 'What programs report with syslog(3) is thrown away: nothing listens on /dev/log',
          evidence: [
            '/proc/net/unix has no listener on /dev/log',
            journal.running === null
              ? 'whether journald runs could not be seen'
              : `journald ${journal.running ? 'runs' : 'does not run'}`,
            'sshd, sudo and cron report their logins and commands this way',
          ],
          options:
            init === 'systemd'
              ? [
                  configure(
                    "start journald's sockets: `systemctl start systemd-journald.socket systemd-journald-dev-log.socket`; then `logger hello` shows up in `journalctl -n 3`",
                  ),
                  configure(
                    'if they do not start: `systemctl status systemd-journald systemd-journald-dev-log.socket` says why',
                  ),
                ]
              : [
                  configure(
                    `start a syslog daemon: ${install(rsyslog, init)}; then \`logger hello\` shows up in \`tail -n 3 /var/log/syslog\``,
                  ),
                ],
        }),
      ];

const notPersistent = ({ journal }: LoggingReport): Finding[] =>
  journal.running !== true ||
  journal.kept === 'persistent' ||
  (journal.kept === null && journal.storage !== 'none')
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
            journal.kept === 'volatile' ? 'its files lie in /run/log/journal' : 'there are no journal files',
          ],
          options: [
            configure(
              "`mkdir -p /etc/systemd/journald.conf.d && printf '[Journal]\\nStorage=persistent\\n' >/etc/systemd/journald.conf.d/zz-persistent.conf`, then `systemctl restart systemd-journald && journalctl --flush`; it uses a tenth of the file system at most (SystemMaxUse=)",
            ),
          ],
        }),
      ];

const losses = ({ losses: udp, audit: daemon }: LoggingReport): Finding[] => [
  ...udp.map((loss) =>
    finding({
      id: `lost-datagrams/${loss.heldBy}/${loss.address.replaceAll(' ', '-')}`,
      severity: 'medium',
      title: `${loss.heldBy} lost ${loss.dropped} datagrams: its receive buffer was full`,
      evidence: [`drops column of /proc/net/${loss.address}`],
      options: [
        configure('let the senders use TCP: over UDP nobody notices a loss'),
        configure(
          `or raise the buffer: \`echo net.core.rmem_max=8388608 >/etc/sysctl.d/90-syslog.conf && sysctl -p /etc/sysctl.d/90-syslog.conf\`, then ${receiveBuffer[loss.heldBy] ?? `the receive buffer of ${loss.heldBy} in its configuration`}, and restart it`,
        ),
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
              'raise the backlog, now with `auditctl -b 8192` and for every boot with `-b 8192` in /etc/audit/rules.d/audit.rules and `augenrules --load`',
            ),
          ],
        }),
      ]
    : []),
];

/** Where each daemon's buffer is set; both take bytes. */
const receiveBuffer: Record<string, string> = {
  rsyslogd: '`rcvbufSize="8388608"` in its `input(type="imudp" …)`',
  'syslog-ng': '`so-rcvbuf(8388608)` in its `network(… transport("udp"))`',
};

const askServers: Record<string, string> = {
  chronyd: '`chronyc -n sources -v` shows which servers it reaches',
  'systemd-timesyncd': '`timedatectl timesync-status` shows which server it asks, and whether it answers',
  'systemd-timesyn': '`timedatectl timesync-status` shows which server it asks, and whether it answers',
  ntpd: '`ntpq -p` (or `ntpctl -s all`, for OpenNTPD) shows which servers it reaches',
  ntpsec: '`ntpq -p` shows which servers it reaches',
  openntpd: '`ntpctl -s all` shows which servers it reaches',
};

const clock = ({ clock: state, init }: LoggingReport): Finding[] =>
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
            state.daemon !== null
              ? `${state.daemon} runs`
              : state.daemonKnown
                ? 'no time daemon runs'
                : 'whether a time daemon runs could not be seen',
          ],
          options: [
            state.daemon !== null
              ? investigate(askServers[state.daemon] ?? `see in the log of ${state.daemon} what it waits for`)
              : !state.daemonKnown
                ? investigate('look again as root, to see whether a time daemon runs: `holdfast audit`')
                : configure(
                    init === 'systemd'
                      ? '`apt-get install systemd-timesyncd && timedatectl set-ntp true`; `timedatectl` then says `System clock synchronized: yes`'
                      : `${install(chrony, init)}; \`chronyc tracking\` then says \`Leap status : Normal\``,
                  ),
            ...(state.daemon === null && state.daemonKnown
              ? [
                  configure(
                    'in a container, do that on the host: they share one clock; in a virtual machine whose hypervisor sets the clock, nothing has to be done',
                  ),
                ]
              : []),
          ],
        }),
      ];

const audit = ({ audit: daemon, init }: LoggingReport): Finding[] =>
  daemon.running !== false
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
              daemon.installed ? start(auditd, init) : `where it is wanted: ${install(auditd, init)}`,
            ),
          ],
        }),
      ];
