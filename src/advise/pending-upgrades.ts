import type { PatchesReport, PendingUpgrade } from '#inspect';
import type { Finding, Option } from '#wire/audit';
import {
  configure,
  dateOf,
  daysBetween,
  investigate,
  patch,
  patchesFinding as finding,
  plural,
  some,
} from './phrases.ts';

/** What apt and dpkg have to say: updates that wait, why some are kept back, how old that knowledge is. */
export const findPendingUpgrades = (report: PatchesReport): Finding[] => [
  ...pending(report),
  ...keptBack(report),
  ...oldLists(report),
  ...unfinished(report),
];

const pendingOf = (report: PatchesReport): PendingUpgrade[] =>
  report.upgrades.result === 'found' ? report.upgrades.value : [];

const pending = (report: PatchesReport): Finding[] => {
  const all = pendingOf(report);
  const security = all.filter((upgrade) => upgrade.security);
  const others = all.filter((upgrade) => !upgrade.security && upgrade.keptBack === null);
  const asOf =
    report.lists === null || report.lists.refreshed === null
      ? []
      : [`as of the package lists of ${dateOf(report.lists.refreshed)}`];
  const findings: Finding[] = [];
  if (security.length > 0) {
    const since = security.flatMap(({ publicBy }) => publicBy ?? []).toSorted()[0];
    const age = since === undefined ? '' : `, the oldest public since ${dateOf(since)} or before`;
    const ready = security.filter(({ keptBack: kept }) => kept === null);
    findings.push(
      finding({
        id: 'pending-security/apt',
        severity: 'high',
        title: `${plural(security.length, 'security upgrade is', 'security upgrades are')} pending${age}`,
        evidence: [
          some(
            security.map((upgrade) => `${upgrade.package} ${upgrade.installed} → ${upgrade.candidate}`),
            8,
          ),
          ...asOf,
          ...(report.lastUpgrade === null
            ? []
            : [`packages were last upgraded on ${dateOf(report.lastUpgrade)} (/var/log/dpkg.log)`]),
        ],
        options:
          ready.length === 0
            ? [
                investigate(
                  'all of them are kept back: the findings "kept back" say why, and how to get them',
                ),
              ]
            : [patch(everything), ...onlyThese(ready)],
      }),
    );
  }
  if (others.length > 0) {
    findings.push(
      finding({
        id: 'pending/apt',
        severity: 'low',
        title: `${plural(others.length, 'other upgrade is', 'other upgrades are')} pending`,
        evidence: [
          some(
            others.map((upgrade) => `${upgrade.package} ${upgrade.installed} → ${upgrade.candidate}`),
            8,
          ),
          ...asOf,
        ],
        options: [patch(everything)],
      }),
    );
  }
  return findings;
};

const everything =
  '`apt-get update && apt-get upgrade` (`apt-get -s upgrade` only says what it would do); services that still run old code are then named here';

/** So many names still make a command that one can read before running it. */
const most = 40;

const onlyThese = (ready: readonly PendingUpgrade[]): Option[] =>
  ready.length > most
    ? []
    : [
        patch(
          `only these: \`apt-get install --only-upgrade ${ready.map((upgrade) => upgrade.package).join(' ')}\``,
        ),
      ];

const keptBack = (report: PatchesReport): Finding[] => {
  const kept = pendingOf(report).flatMap((upgrade) =>
    upgrade.keptBack === null ? [] : [{ ...upgrade, keptBack: upgrade.keptBack }],
  );
  const kinds = [...new Set(kept.map((upgrade) => upgrade.keptBack.reason))];
  return kinds.map((reason) => {
    const group = kept.filter((upgrade) => upgrade.keptBack.reason === reason);
    const security = group.some((upgrade) => upgrade.security);
    const names = group.map((upgrade) => upgrade.package);
    const waits = reason === 'phasing';
    return finding({
      id: `kept-back/${reason.replaceAll(' ', '-')}`,
      severity: waits ? 'info' : security ? 'high' : 'low',
      title: `${plural(group.length, 'upgrade is', 'upgrades are')} kept back: ${headline[reason]}${security && !waits ? ' (security among them)' : ''}`,
      evidence: group
        .slice(0, 12)
        .map(
          (upgrade) =>
            `${upgrade.package} ${upgrade.installed} → ${upgrade.candidate}: ${upgrade.keptBack.detail}`,
        ),
      options: [remedy(reason, names)],
    });
  });
};

type Reason = NonNullable<PendingUpgrade['keptBack']>['reason'];

const headline: Record<Reason, string> = {
  hold: 'they are on hold',
  pin: 'a pin weighs the newer version down',
  phasing: 'they are offered in phases, and not to this host yet',
  'needs changes': 'they need packages that are new, or that go',
  related: 'something that they need is kept back itself',
  refused: 'apt cannot plan an upgrade',
  unexplained: 'apt does not say why',
};

const remedy = (reason: Reason, names: readonly string[]): Option => {
  const list = names.slice(0, most).join(' ');
  const rest = names.length > most ? `; then the other ${names.length - most} likewise` : '';
  switch (reason) {
    case 'hold':
      return configure(
        `find out who set the hold and why (\`grep -h 'apt-mark hold' /root/.bash_history /var/log/auth.log\` may tell); then \`apt-mark unhold ${list} && apt-get install --only-upgrade ${list}\`${rest}`,
      );
    case 'pin':
      return configure(
        `\`grep -r '' /etc/apt/preferences /etc/apt/preferences.d\` shows the pin, \`apt-cache policy ${list}\` what it does; remove it, then \`apt-get install --only-upgrade ${list}\`${rest}`,
      );
    case 'phasing':
      return investigate('nothing has to be done: they come by themselves');
    case 'needs changes':
      return patch(
        'see what would come and go with `apt-get -s dist-upgrade`; where nothing goes that you need, `apt-get dist-upgrade`',
      );
    case 'refused':
      return investigate(
        '`apt-get check` names what is broken; `apt-get -s --fix-broken install` shows the way out, without `-s` it goes it',
      );
    case 'related':
    case 'unexplained':
      return investigate(`\`apt-get -s install ${names[0] ?? ''}\` makes apt say what stands in the way`);
  }
};

const oldLists = ({ lists, packageManager, time }: PatchesReport): Finding[] => {
  if (packageManager !== 'dpkg' || lists === null || lists.refreshed === null) return [];
  const age = daysBetween(lists.refreshed, time);
  if (age <= 7) return [];
  const tried = lists.attempted !== null && daysBetween(lists.attempted, time) <= 7 ? lists.attempted : null;
  return [
    finding({
      id: 'old-lists/apt',
      severity: tried === null ? 'medium' : 'low',
      title: `The package lists are ${age} days old: newer updates are not known`,
      evidence: [
        `newest is ${lists.refreshedBy ?? 'unknown'}, of ${lists.refreshed}`,
        ...(tried === null ? [] : [`an update was tried on ${dateOf(tried)} and brought nothing newer`]),
      ],
      options: [
        patch(
          tried === null
            ? '`apt-get update`'
            : '`apt-get update`, and read what it complains about: the last one brought nothing newer',
        ),
      ],
    }),
  ];
};

const unfinished = ({ packages }: PatchesReport): Finding[] => {
  if (packages === null || (packages.unfinished.length === 0 && !packages.interrupted)) return [];
  return [
    finding({
      id: 'unfinished/dpkg',
      severity: 'high',
      title:
        packages.unfinished.length === 0
          ? 'dpkg was interrupted: upgrades fail until it is set right'
          : `${plural(packages.unfinished.length, 'package is', 'packages are')} half installed: upgrades fail until that is set right`,
      evidence: [
        ...packages.unfinished
          .slice(0, 12)
          .map((entry) => `${entry.package} ${entry.version}: ${entry.state}`),
        ...(packages.interrupted ? ['/var/lib/dpkg/updates is not empty'] : []),
      ],
      options: [
        patch(
          '`dpkg --configure -a`, then `apt-get --fix-broken install`; `dpkg --audit` says what is still wrong',
        ),
      ],
    }),
  ];
};
