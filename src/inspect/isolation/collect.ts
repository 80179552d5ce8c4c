import type { CouldNotLook } from '#base/looked';
import { thisHost, type HostPaths } from '../host.ts';
import { collectServices, type ServicesReport } from '../services/index.ts';
import { inChroot, inUserNamespace } from './confinement.ts';
import { judgeContainer, readContainerSigns } from './container.ts';
import { judgeMachine, readMachineSigns } from './machine.ts';
import type { IsolationReport } from './report.ts';
import { findSharedServices } from './shared-services.ts';

export type IsolationOptions = Partial<HostPaths> & {
  /** What listens, if that is known already; else it is collected. */
  services?: ServicesReport | Promise<ServicesReport>;
};

/**
 * What separates the services of this host from each other and from the machine: bare metal or virtual machine,
 * container or not (asked apart: a container in a virtual machine is both), chroot, user namespace, and the services
 * that share this instance of the system. Reads /proc, /sys and marker files; nothing is run.
 */
export const collectIsolation = async (options: IsolationOptions = {}): Promise<IsolationReport> => {
  const started = performance.now();
  const paths: HostPaths = { ...thisHost, ...options };
  const couldNotLook: CouldNotLook[] = [];
  const remedy =
    process.geteuid?.() === 0
      ? 'PID 1 is shielded even from root here: look from the machine itself'
      : 'run as root';

  const signs = readContainerSigns(paths);
  const container = judgeContainer(signs);
  if (signs.environment === undefined && container.confidence !== 'certain') {
    couldNotLook.push({
      what: 'whether a container manager left its name in the environment of PID 1',
      why: `${paths.proc}/1/environ cannot be read`,
      remedy,
    });
  }
  const machine = judgeMachine(readMachineSigns(paths));
  if (machine.kind === 'unknown') {
    couldNotLook.push({
      what: 'whether this is a virtual machine',
      why: machine.evidence.join('; '),
      remedy: 'run systemd-detect-virt --vm, which can ask the processor',
    });
  }
  const chroot = inChroot(paths);
  if (chroot === null) {
    couldNotLook.push({
      what: 'whether this is a chroot',
      why: `${paths.proc}/1/root cannot be read`,
      remedy,
    });
  }

  const { listeners } = await (options.services ?? collectServices(options));
  const shared = findSharedServices(paths, listeners);
  couldNotLook.push(...shared.couldNotLook);
  return {
    machine,
    container,
    chroot,
    userNamespace: inUserNamespace(paths),
    services: shared.services,
    couldNotLook,
    milliseconds: performance.now() - started,
  };
};
