import type { LogFile, LoggingReport, Shipper } from '#inspect';
import type { Finding, Option } from '#wire/audit';
import { restart, restartOfProcess, rsyslog, shellWord } from './daemon-steps.ts';
import { configure, investigate, loggingFinding as finding } from './phrases.ts';

/** Files that logs are written to: which of them nobody ships, who may touch them, whether they are rotated. */
export const findLogFiles = (report: LoggingReport): Finding[] => [
  ...unshipped(report),
  ...permissions(report),
  ...deleted(report),
  ...rotation(report),
];

/** Logs that grow and are no binary tables such as wtmp. */
export const textLogs = (report: LoggingReport): LogFile[] =>
  report.files.filter((file) => file.content !== 'binary' && !file.deleted);

const list = (files: readonly LogFile[], limit = 12): string[] => [
  ...files
    .slice(0, limit)
    .map(
      (file) =>
        `${file.path}${file.writers.length === 0 ? `, last written ${file.modified ?? 'at an unknown time'}` : `, open for writing by ${file.writers.map((writer) => `${writer.name} (pid ${writer.pid})`).join(', ')}`}`,
    ),
  ...(files.length > limit ? [`and ${files.length - limit} more files`] : []),
];

/** Logs of who came in and what they did with privileges. */
const telling = /\/(?:auth\.log|secure|sudo\.log|audit\.log|syslog|messages)$/;

/** Those that tell of privileges come first, then what lies where logs belong, then what is open. */
const weight = (file: LogFile): number =>
  (telling.test(file.path) ? 4 : 0) +
  (file.path.startsWith('/var/log/') ? 2 : 0) +
  (file.writers.length > 0 ? 1 : 0);

/** Nobody ships them only where all who could were seen. */
const unshipped = (report: LoggingReport): Finding[] => {
  if (report.processesSeen !== 'all') return [];
  const files = textLogs(report)
    .filter((file) => file.shippedBy === null)
    .toSorted((a, b) => weight(b) - weight(a));
  const [first] = files;
  if (first === undefined) return [];
  const open = files.some((file) => file.writers.length > 0);
  const grave = report.leavesHost === true && (open || files.some((file) => telling.test(file.path)));
  return [
    finding({
      id: 'unshipped/files',
      severity: grave ? 'medium' : 'low',
      title:
        files.length === 1
          ? 'One log grows that nobody ships'
          : `${files.length} logs grow that nobody ships`,
      evidence: [
        ...list(files),
        ...(report.leavesHost === null
          ? ['what every shipper here reads could not be told: one of them may take these']
          : []),
      ],
      options: waysToShip(report, files, first),
    }),
  ];
};

const waysToShip = (report: LoggingReport, files: readonly LogFile[], first: LogFile): Option[] => {
  const running = report.shippers.filter(({ pid }) => pid !== null);
  const inVarLog = files.some(({ path }) => path.startsWith('/var/log/'));
  const holdfast =
    report.holdfast !== null
      ? inVarLog
        ? []
        : [
            configure(
              `let the program log below ${report.holdfast.files[0] ?? '/var/log'}, where Holdfast takes it in by itself`,
            ),
          ]
      : inVarLog
        ? [configure('`holdfast up` takes in every text file below /var/log')]
        : [];
  const other = running.find(({ name }) => name !== 'rsyslog' && name !== 'syslog-ng');
  const viaOther =
    other === undefined
      ? []
      : [
          configure(
            `add them to what ${other.name} reads${other.files.length === 0 ? '' : ` (${other.files.slice(0, 3).join(', ')})`}`,
          ),
        ];
  const viaRsyslog = rsyslogStep(
    running.find(({ name }) => name === 'rsyslog'),
    first,
    report,
  );
  const forwards = running.some(
    ({ name, destinations }) => name === 'rsyslog' && destinations.some((each) => each.leavesHost),
  );
  return forwards ? [viaRsyslog, ...viaOther, ...holdfast] : [...viaOther, ...holdfast, viaRsyslog];
};

const rsyslogStep = (running: Shipper | undefined, { path }: LogFile, { init }: LoggingReport): Option => {
  const tag = (path.split('/').at(-1) ?? '').replace(/\.log$/, '').replaceAll(/[^\w.-]/g, '-') || 'log';
  return configure(
    `${running === undefined ? 'with an rsyslog that forwards' : 'rsyslog reads and forwards them'}: \`module(load="imfile")\` and for each file \`input(type="imfile" File="${path.replaceAll('"', '\\"')}" Tag="${tag}:")\` into /etc/rsyslog.d/40-files.conf; \`rsyslogd -N1\` checks it; then ${restart(rsyslog, running?.pid ?? null, init)}`,
  );
};

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
            ? `\`chmod o-r ${shellWord(path)}\`, and set the mode where it is created (logrotate's \`create 0640 root adm\`, rsyslog's \`$FileCreateMode 0640\`)`
            : `\`chmod o-w ${shellWord(path)}\`; whatever anybody wrote there until now proves nothing`,
        ),
      ],
    }),
  );

const deleted = ({ files, init }: LoggingReport): Finding[] =>
  files
    .filter((file) => file.deleted && file.writers.length > 0)
    .map((file) => {
      const pid = file.writers[0]?.pid ?? 0;
      return finding({
        id: `deleted-log${file.path}`,
        severity: 'medium',
        title: `${file.writers.map((writer) => writer.name).join(', ')} writes to a log that was deleted: ${file.path}`,
        evidence: file.writers.map(
          (writer) => `pid ${writer.pid} has it open; what it writes is gone when it ends`,
        ),
        options: [
          investigate(
            `save what it holds before anything else: \`ls -l /proc/${pid}/fd | grep deleted\` shows its number N, \`cp /proc/${pid}/fd/N /root/saved.log\` copies it`,
          ),
          configure(`then make it open its log again: ${restartOfProcess(pid, init)}`),
        ],
      });
    });

const large = 100 << 20;

const rotation = (report: LoggingReport): Finding[] => {
  const files = textLogs(report)
    .filter((file) => !file.rotated && (file.bytes ?? 0) > large)
    .toSorted((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
  const [first] = files;
  return first === undefined
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
              `${report.rotation.configured ? '' : '`apt-get install logrotate`; then '}\`printf '%s\\n' '"${first.path.replaceAll("'", `'\\''`)}" {' weekly 'rotate 8' compress missingok notifempty copytruncate '}' >/etc/logrotate.d/local-logs\`, the same for the others, and test it with \`logrotate --debug /etc/logrotate.conf\` (copytruncate can lose what is written while it copies; where the program can open its log again, use \`postrotate\` for that instead)`,
            ),
          ],
        }),
      ];
};
