import { isUnseen } from '#wire/audit';
import type { IsolationReport, LoggingReport, PatchesReport, ServicesReport } from '#inspect';

/** A few lines for each section: what was seen, good or bad, before any judgement. */

export const servicesFacts = (report: ServicesReport): readonly string[] => {
  if (isUnseen('services', report)) return ['no socket could be seen'];
  const { listeners } = report;
  const network = listeners.filter(({ protocol }) => protocol !== 'unix');
  const of = (scope: string): number => network.filter((listener) => listener.scope === scope).length;
  const scopes = ['public', 'network', 'local', 'container'].flatMap((scope) =>
    of(scope) === 0 ? [] : [`${of(scope)} ${scope}`],
  );
  const namespaces = new Set(network.map(({ netns }) => netns.inode)).size;
  const count = `${network.length} ${network.length === 1 ? 'door' : 'doors'}${scopes.length === 0 ? '' : `: ${scopes.join(', ')}`}`;
  return [namespaces > 1 ? `${count}; in ${namespaces} network namespaces` : count];
};

export const patchesFacts = (report: PatchesReport): readonly string[] => {
  const support = report.distribution?.phases.find(({ name }) => name === report.distribution?.current);
  const supported =
    report.distribution === null
      ? 'end of life not known'
      : support === undefined
        ? (report.distribution.current ?? 'gets no more updates')
        : `${support.name} until ${support.until}`;
  const lists = report.lists?.refreshed ?? null;
  return [
    `${report.system ?? 'unknown system'} (${supported}); kernel ${report.kernel.running.release}, ${report.kernel.verdict}`,
    `${pendingLine(report)}; package lists ${lists === null ? 'never brought up to date' : `of ${lists.slice(0, 16).replace('T', ' ')} UTC`}`,
  ];
};

export const loggingFacts = ({
  journal,
  shippers,
  leavesHost,
  files,
  clock,
  holdfast,
  processesSeen,
}: LoggingReport): readonly string[] => {
  const where = [
    ...shippers.filter(({ pid }) => pid !== null).map(({ name }) => name),
    ...(holdfast === null ? [] : ['holdfast']),
  ];
  const leaves =
    leavesHost === null
      ? 'whether logs leave this host could not be told'
      : leavesHost
        ? 'logs leave this host'
        : 'logs stay on this host alone';
  const unshipped = files.filter(({ shippedBy }) => shippedBy === null).length;
  return [
    `journal: ${journal.kept ?? 'none kept'}; log daemons and shippers running: ${where.join(', ') || (processesSeen === 'all' ? 'none' : 'none that could be seen')}; ${leaves}`,
    `${files.length} log files grow, ${unshipped} of them shipped by nothing; clock ${clock.synchronised === null ? 'could not be told to be synchronised' : clock.synchronised ? 'synchronised' : 'not synchronised'}`,
  ];
};

/** "Clean" only where the lists could be looked at. */
export const pendingLine = ({ upgrades }: PatchesReport): string => {
  if (upgrades.result === 'could-not-look') return 'what is pending could not be looked at';
  if (upgrades.result === 'clean') return 'nothing pending';
  const security = upgrades.value.filter((upgrade) => upgrade.security).length;
  const kept = upgrades.value.filter(({ keptBack }) => keptBack !== null).length;
  return `${upgrades.value.length} upgrades pending, ${security} of them security, ${kept} kept back`;
};

export const isolationFacts = ({
  machine,
  container,
  chroot,
  services,
  servicesSeen,
}: IsolationReport): readonly string[] => {
  const vm =
    machine.kind === 'virtual machine'
      ? `virtual machine (${[machine.hypervisor, machine.monitor].filter(Boolean).join(', ') || 'kind unknown'})`
      : machine.kind;
  const inside =
    container.inside === null
      ? 'container: could not tell'
      : container.inside
        ? `in a container (${container.kind ?? 'kind unknown'})`
        : 'not in a container';
  const root = services.filter((service) => service.root).length;
  return [
    `${vm}; ${inside}; ${chroot === null ? 'chroot: could not tell' : chroot ? 'in a chroot' : 'not in a chroot'}`,
    servicesSeen === 'none'
      ? 'which services share this OS instance could not be seen'
      : `${servicesSeen === 'some' ? 'at least ' : ''}${services.length} ${services.length === 1 ? 'service shares' : 'services share'} this OS instance, ${root} of them as root`,
  ];
};
