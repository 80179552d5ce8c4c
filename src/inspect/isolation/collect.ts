import type { CouldNotLook } from '#base/looked';
import { initSystem, thisHost, type HostPaths } from '../host.ts';
import { collectServices, type ServicesReport } from '../services/index.ts';
import { inChroot, inUserNamespace } from './confinement.ts';
import { judgeContainer, readContainerSigns } from './container.ts';
import { judgeMachine, readMachineSigns } from './machine.ts';
import { hiddenProcesses, listProcesses, whyHidden } from '../services/unseen.ts';
import type { IsolationReport } from './report.ts';
import { findSharedServices } from './shared-services.ts';

export type IsolationOptions = Partial<HostPaths> & {
  /** What listens, if that is known already: its gaps are then the caller's to report. Else it is collected. */
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
  const uid = process.geteuid?.() ?? -1;
  const { pids, blind } = listProcesses(paths.proc);
  const remedy =
    blind?.remedy ??
    (uid === 0 ? 'PID 1 is shielded even from root here: look from the machine itself' : 'run as root');

  const signs = readContainerSigns(paths);
  const container = judgeContainer(signs);
  if (container.inside === null) {
    couldNotLook.push({
      what: 'whether this is a container',
      why: container.evidence.join('; '),
      remedy,
    });
  } else if (signs.environment === undefined && container.confidence !== 'certain') {
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

  const listening = await (options.services ?? collectServices(options));
  if (options.services === undefined) couldNotLook.push(...listening.couldNotLook);
  const hidden = blind === null ? whyHidden(paths.proc, uid) : null;
  const services = 'services that share this system';
  if (blind !== null) couldNotLook.push({ ...blind, what: services });
  if (hidden !== null)
    couldNotLook.push({ ...hiddenProcesses(hidden, uid), what: `${services}, of other users` });
  const shared = findSharedServices(paths, pids, listening);
  couldNotLook.push(...shared.couldNotLook);
  return {
    machine,
    container,
    chroot,
    userNamespace: inUserNamespace(paths),
    services: shared.services,
    servicesSeen: blind !== null ? 'none' : hidden !== null ? 'some' : 'all',
    init: initSystem(paths),
    couldNotLook,
    milliseconds: performance.now() - started,
  };
};
