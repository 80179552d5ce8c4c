import type { Option } from '#wire/audit';
import type { Door } from './doors.ts';
import { firewalled } from './firewalled.ts';
import { investigate } from './investigate.ts';
import { localOnly } from './local-only.ts';
import { baseName } from './recognise.ts';
import { serviceOf, serviceUnit } from './service-unit.ts';

/**
 * The ladder for one door: the smallest sensible step first, then the others from the cheapest for the host: do not
 * install, do not run, local only, firewalled. A step is left out where it makes no sense, such as removing an
 * interpreter or unbinding what strangers are meant to reach.
 */
export const ladderOf = (door: Door): Option[] => {
  const look = investigate(door);
  if (door.clients) return look;
  if (door.lead.scope === 'container') return [...look, ...doNotRun(door)];
  const ladder = [
    ...keysOnly(door),
    ...doNotInstall(door),
    ...doNotRun(door),
    ...localOnly(door),
    ...firewalled(door),
  ];
  if (look.length > 0) return [...look, ...ladder];
  const recommended = ladder.find(({ step }) => step === recommendedStep(door));
  return recommended === undefined ? ladder : [recommended, ...ladder.filter((one) => one !== recommended)];
};

const recommendedStep = ({ known }: Door): Option['step'] =>
  known?.recommended ?? (known?.meantForStrangers ? 'firewalled' : 'local only');

/** What strangers try on remote login is passwords: the step that costs least. */
const keysOnly = ({ known }: Door): Option[] => {
  if (known?.name !== 'OpenSSH') return [];
  const action =
    'if it is not so yet, allow keys only: log in with your key first; then PasswordAuthentication no and KbdInteractiveAuthentication no in /etc/ssh/sshd_config.d/10-keys.conf; check: sshd -t; then reload ssh, and keep this session open until a new one works';
  return [{ step: 'configure', action }];
};

/** Only where the package is there for this very program, and the system does not need it. */
const doNotInstall = ({ lead, processes, known }: Door): Option[] => {
  if (known?.meantForStrangers || lead.holder !== 'process') return [];
  const packages = new Set(processes.map((process) => process.package));
  const [name] = packages;
  if (packages.size !== 1 || name === null || name === undefined) return [];
  const serves = processes.every(
    ({ exe, interpreter, packageRequired }) =>
      exe !== null &&
      !interpreter &&
      !packageRequired &&
      (known?.executables.includes(baseName(exe)) === true || isNamedAfter(name, baseName(exe))),
  );
  if (!serves) return [];
  return [
    {
      step: 'do not install',
      action: `if nobody needs it: apt-get remove ${name} (see first what else goes: apt-get -s remove ${name})`,
    },
  ];
};

/** Whether one name contains the other: `cupsd` and `cups-daemon` share `cups`. */
const isNamedAfter = (packageName: string, executable: string): boolean => {
  const stem = executable.replace(/[d\d.]+$/, '');
  return stem.length >= 3 && packageName.includes(stem);
};

export const doNotRun = ({ lead, processes, known, init }: Door): Option[] => {
  if (known?.meantForStrangers || lead.holder === 'unseen') return [];
  const disable = (unit: string): Option[] => [
    { step: 'do not run', action: `systemctl disable --now ${unit}` },
  ];
  if (lead.holder === 'systemd') {
    const service = serviceOf(lead.activates);
    if (lead.socketUnit === null) return [];
    // What runs already has the socket, and keeps it.
    return disable(service === null ? lead.socketUnit : `${lead.socketUnit} ${service}`);
  }
  if (lead.holder === 'kernel') {
    const unit = known?.units?.[0];
    return unit === undefined || init !== 'systemd' ? [] : disable(unit);
  }
  const unit = serviceUnit({ processes, init });
  if (unit !== null) return disable(unit);
  const pids = processes.slice(0, 3).map(({ pid }) => pid);
  const more = processes.length - pids.length;
  const which = `${processes.length === 1 ? 'process' : 'processes'} ${pids.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return [
    {
      step: 'do not run',
      action: `stop ${which}, and whatever starts ${processes.length === 1 ? 'it' : 'them'}`,
    },
  ];
};
