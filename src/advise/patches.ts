import type { PatchesReport } from '#inspect';
import type { Finding } from '#wire/audit';
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
          patch(
            'upgrade to a supported release: read its release notes, point the package sources at it, then `apt-get update && apt-get -s dist-upgrade`',
          ),
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
          'plan the upgrade to the next release; `apt-get -s dist-upgrade` shows what it would do once the sources point there',
        ),
      ],
    }),
  ];
};

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
          `add \`deb ${archive} ${distribution.codename ?? 'CODENAME'}-security main\` to /etc/apt/sources.list.d/security.list, then \`apt-get update\``,
        ),
      ],
    }),
  ];
};

const oldKernel = ({ kernel }: PatchesReport): Finding[] =>
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
          options: [patch(`reboot into ${kernel.next} in a maintenance window: \`systemctl reboot\``)],
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
            investigate('ask for the patch level of the host or hypervisor that provides the kernel'),
          ],
        }),
      ];

const rebootRequired = ({ reboot, kernel }: PatchesReport): Finding[] =>
  reboot.required !== true || (kernel.verdict === 'older' && reboot.reasons.length === 1)
    ? []
    : [
        finding({
          id: 'reboot-required/host',
          severity: 'medium',
          title: 'Upgrades wait for a reboot',
          evidence: reboot.reasons,
          options: [patch('reboot in a maintenance window: `systemctl reboot`')],
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

const notAutomatic = ({ automatic }: PatchesReport): Finding[] => {
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
      options: [
        configure(
          automatic.installed
            ? 'turn it on: `dpkg-reconfigure unattended-upgrades`'
            : 'unless something else patches this host: `apt-get install unattended-upgrades`, then `dpkg-reconfigure unattended-upgrades`',
        ),
      ],
    }),
  ];
};

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
          options: [configure("replace `trusted=yes` by `signed-by=` with the archive's key")],
        }),
      ];
};
