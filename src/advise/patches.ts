import type { PatchesReport } from '#inspect';
import type { Finding } from '#wire/audit';
import { reboot, shellWord } from './daemon-steps.ts';
import { findPendingUpgrades } from './pending-upgrades.ts';
import {
  configure,
  dateOf,
  daysBetween,
  investigate,
  patch,
  patchesFinding as finding,
  some,
} from './phrases.ts';

/** Judges section `patches`: what is dangerous about the host's software as it stands, worst first in each kind. */
export const findPatches = (report: PatchesReport): Finding[] => [
  ...supportEnded(report),
  ...noSecuritySource(report),
  ...findPendingUpgrades(report),
  ...oldKernel(report),
  ...foreignKernel(report),
  ...rebootRequired(report),
  ...stalePrograms(report),
  ...notAutomatic(report),
  ...unsigned(report),
];

const supportEnded = ({ distribution, system, time }: PatchesReport): Finding[] => {
  if (distribution === null) return [];
  const name = system ?? distribution.id;
  const evidence = [
    ...distribution.phases.map(
      (phase) =>
        `${phase.name} support until ${phase.until}${phase.needs === null ? '' : `, with ${phase.needs}${phase.covered ? '' : ' (not set up here)'}`}`,
    ),
    `dates from ${distribution.source}`,
  ];
  if (distribution.current === null) {
    const extended = distribution.phases.find((phase) => !phase.covered && phase.until >= dateOf(time));
    return [
      finding({
        id: 'end-of-life/distribution',
        severity: 'critical',
        title: `${name} gets no security updates any more`,
        evidence,
        options: [
          patch(`upgrade to a supported release: ${toNextRelease(distribution.id)}`),
          ...(extended === undefined || extended.needs === null
            ? []
            : [configure(`until then, set up ${extended.needs} (until ${extended.until})`)]),
        ],
      }),
    ];
  }
  const phase = distribution.phases.find((each) => each.name === distribution.current);
  if (phase === undefined) return [];
  const left = daysBetween(dateOf(time), phase.until);
  const late = distribution.phases.indexOf(phase) > 0;
  if (left > 180 && !late) return [];
  return [
    finding({
      id: 'end-of-life/distribution',
      severity: left <= 90 ? 'medium' : late ? 'low' : 'info',
      title: late
        ? `${name} is past its standard support; ${phase.name} lasts until ${phase.until}`
        : `Support of ${name} ends on ${phase.until}`,
      evidence,
      options: [
        patch(
          `plan the upgrade to the next release before ${phase.until}: ${toNextRelease(distribution.id)}`,
        ),
      ],
    }),
  ];
};

const toNextRelease = (id: string): string =>
  id === 'ubuntu'
    ? 'back up, then `do-release-upgrade` (with `-c` it only says what the next release is)'
    : "back up, follow the release notes of the next release, write its name in place of this one's in /etc/apt/sources.list and /etc/apt/sources.list.d/, then `apt-get update && apt-get upgrade --without-new-pkgs`, and `apt-get dist-upgrade` (with `-s` each only says what it would do)";

const noSecuritySource = ({ packageManager, sources, system, distribution }: PatchesReport): Finding[] => {
  if (packageManager !== 'dpkg' || (distribution?.id !== 'debian' && distribution?.id !== 'ubuntu'))
    return [];
  const enabled = sources.filter((entry) => entry.enabled && entry.kind === 'deb');
  const rolling =
    distribution.codename === 'sid' || enabled.some(({ suite }) => suite === 'sid' || suite === 'unstable');
  if (
    enabled.length === 0 ||
    rolling ||
    enabled.some(({ suite, uri }) => suite.endsWith('-security') || uri.includes('security'))
  )
    return [];
  const archive =
    distribution.id === 'debian'
      ? 'http://deb.debian.org/debian-security'
      : 'http://security.ubuntu.com/ubuntu';
  return [
    finding({
      id: 'no-security-source/apt',
      severity: 'high',
      title: `No security archive is among the package sources of ${system ?? distribution.id}`,
      evidence: enabled.map((entry) => `${entry.file}: ${entry.uri} ${entry.suite}`),
      options: [
        configure(
          `\`echo 'deb ${archive} ${distribution.codename ?? 'CODENAME'}-security main' >/etc/apt/sources.list.d/security.list && apt-get update\``,
        ),
      ],
    }),
  ];
};

const oldKernel = ({ kernel, init }: PatchesReport): Finding[] =>
  kernel.verdict !== 'older'
    ? []
    : [
        finding({
          id: 'old-kernel/running',
          severity: 'high',
          title: `An older kernel runs than the one that is installed: ${kernel.running.release}`,
          evidence: [
            kernel.why,
            `uname -v: ${kernel.running.build}`,
            ...(kernel.bootDefault === null ? [] : [`default boot entry: ${kernel.bootDefault.entry}`]),
          ],
          options: [patch(`reboot into ${kernel.next} in a maintenance window: ${reboot(init)}`)],
        }),
      ];

const foreignKernel = ({ kernel }: PatchesReport): Finding[] =>
  kernel.verdict !== 'foreign'
    ? []
    : [
        finding({
          id: 'foreign-kernel/running',
          severity: 'info',
          title: `The kernel (${kernel.running.release}) is not this system's to patch; whether it is up to date cannot be told from here`,
          evidence: [kernel.why, `uname -v: ${kernel.running.build}`],
          options: [
            investigate(
              'ask whoever runs the host or hypervisor which kernel it provides, and when it was last updated; nothing can be patched from here',
            ),
          ],
        }),
      ];

const rebootRequired = ({ reboot: host, kernel, init }: PatchesReport): Finding[] =>
  host.required !== true || (kernel.verdict === 'older' && host.reasons.length === 1)
    ? []
    : [
        finding({
          id: 'reboot-required/host',
          severity: 'medium',
          title: 'Upgrades wait for a reboot',
          evidence: host.reasons,
          options: [patch(`reboot in a maintenance window: ${reboot(init)}`)],
        }),
      ];

const stalePrograms = (report: PatchesReport): Finding[] => {
  if (report.stalePrograms.result !== 'found') return [];
  return report.stalePrograms.value.map((program) => {
    const name = program.unit ?? program.script ?? program.executable;
    const packages = [...new Set(program.files.flatMap((file) => file.package ?? []))];
    return finding({
      id: `stale-program/${name}`,
      severity: 'medium',
      title: `${name} still runs code that was ${program.files.every((file) => file.was === 'replaced') ? 'replaced' : 'removed or replaced'} on disk${packages.length === 0 ? '' : ` (${some(packages, 4)})`}`,
      evidence: [
        `pid ${some(program.pids.map(String))}, user ${program.users.join(', ')}, ${program.executable}`,
        ...program.files
          .slice(0, 8)
          .map(
            (file) =>
              `${file.part} ${file.path} is ${file.was}${file.package === null ? '' : `; package ${file.package}`}`,
          ),
        ...(program.files.length > 8 ? [`and ${program.files.length - 8} more files`] : []),
      ],
      options: [patch(program.restart)],
    });
  });
};

const notAutomatic = ({ automatic, init }: PatchesReport): Finding[] => {
  if (automatic === null) return [];
  const on = automatic.installed && automatic.upgradeEvery > 0 && automatic.startedBy !== null;
  if (on) return [];
  const evidence = [
    `unattended-upgrades is ${automatic.installed ? 'installed' : 'not installed'}`,
    `APT::Periodic::Unattended-Upgrade is ${automatic.upgradeEvery === 0 ? 'off' : 'on'}`,
    `apt's daily job is started by ${automatic.startedBy ?? 'nothing'}`,
  ];
  return [
    finding({
      id: 'not-automatic/apt',
      severity: 'low',
      title: 'Security upgrades are not installed automatically',
      evidence,
      options: [configure(`unless something else patches this host: ${automaticSteps(automatic, init)}`)],
    }),
  ];
};

/** What is missing of: the package, its setting, what starts it every day. */
const automaticSteps = (
  automatic: NonNullable<PatchesReport['automatic']>,
  init: PatchesReport['init'],
): string =>
  [
    ...(automatic.installed ? [] : ['`apt-get install unattended-upgrades`']),
    ...(automatic.upgradeEvery > 0 ? [] : ['`dpkg-reconfigure -plow unattended-upgrades`, and answer yes']),
    ...(automatic.startedBy !== null
      ? []
      : [
          init === 'systemd'
            ? '`systemctl enable --now apt-daily.timer apt-daily-upgrade.timer`'
            : "`apt-get install cron` and `cron`, which starts apt's daily job (there is no systemd here: have cron started at boot too)",
        ]),
    '`unattended-upgrade --dry-run -d` shows what it would do',
  ].join('; ');

const unsigned = ({ sources }: PatchesReport): Finding[] => {
  const trusted = sources.filter((entry) => entry.enabled && entry.trusted);
  return trusted.length === 0
    ? []
    : [
        finding({
          id: 'unsigned-source/apt',
          severity: 'medium',
          title: 'Packages are taken from a source without checking its signature',
          evidence: trusted.map((entry) => `${entry.file}: ${entry.uri} ${entry.suite} [trusted=yes]`),
          options: [
            configure(
              `get the archive's key from whoever runs it, put it into /etc/apt/keyrings/NAME.asc, write \`signed-by=/etc/apt/keyrings/NAME.asc\` in place of \`trusted=yes\` (in a .sources file: \`Signed-By:\` in place of \`Trusted: yes\`) in ${[...new Set(trusted.map((entry) => shellWord(entry.file)))].join(', ')}, then \`apt-get update\``,
            ),
          ],
        }),
      ];
};
