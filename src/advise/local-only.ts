import type { Option } from '#wire/audit';
import type { InitSystem, Listener } from '#inspect';
import type { Door } from './doors.ts';
import type { Apply, KnownService, LocalOnly } from './known-service.ts';
import { serviceOf, serviceUnit } from './service-unit.ts';

/** How the holder is told to listen on this host alone, with the check and the command that applies it. */
export const localOnly = (door: Door): Option[] => {
  const action = howTo(door);
  return action === null ? [] : [{ step: 'local only', action }];
};

const byItsOwnConfiguration =
  'set its listening address to 127.0.0.1 in its own configuration, and restart it';

const howTo = (door: Door): string | null => {
  const { lead, processes, known, init } = door;
  switch (lead.holder) {
    case 'unseen':
      return null;
    case 'systemd': {
      if (lead.socketUnit === null || known?.meantForStrangers) return null;
      return socketOnly(lead, lead.socketUnit, known);
    }
    case 'forwarder':
      return processes.some(({ exe }) => exe?.endsWith('/docker-proxy') === true)
        ? `publish the container's port as 127.0.0.1:${lead.port ?? 0}:<container port> instead of ${lead.port ?? 0}:<container port>`
        : 'bind the forwarding to 127.0.0.1 (for ssh: GatewayPorts no)';
    case 'kernel':
    case 'process': {
      const knob = known?.localOnly ?? null;
      if (knob !== null) {
        const scope = known?.meantForStrangers ? '' : 'if only this host uses it: ';
        return scope + turn(knob, init, serviceUnit(door));
      }
      return known !== null || lead.holder === 'kernel' ? null : byItsOwnConfiguration;
    }
  }
};

/**
 * A service that runs has the socket also after its unit is stopped, and systemd starts no socket unit beside it: so both
 * are stopped first.
 */
const socketOnly = (
  { protocol, port, activates }: Listener,
  socket: string,
  known: KnownService | null,
): string => {
  const service = serviceOf(activates);
  if (known?.socketUnneeded === true && known.localOnly !== null && service !== null)
    return `systemctl disable --now ${socket} && systemctl restart ${service}: it then listens by its own configuration, in ${known.localOnly.file}: ${known.localOnly.directive}`;
  const key = protocol === 'udp' ? 'ListenDatagram' : 'ListenStream';
  const units = service === null ? socket : `${socket} ${service}`;
  return `systemctl edit ${socket}: under [Socket] write ${key}=, which forgets all of them, then again each that 'systemctl cat ${socket}' shows, but 127.0.0.1:${port ?? 0} in place of port ${port ?? 0}; then systemctl stop ${units} && systemctl start ${units}`;
};

const turn = (
  { file, directive, test, apply, caution }: LocalOnly,
  init: InitSystem,
  unit: string | null,
): string => {
  const isDropIn = file.startsWith('/etc/systemd/');
  if (isDropIn && init !== 'systemd') return byItsOwnConfiguration;
  const parts = [
    `in ${file}: ${directive}`,
    ...(test === null ? [] : [`check: ${test}`]),
    `then ${isDropIn ? 'systemctl daemon-reload && ' : ''}${applyCommand(apply, init, unit)}`,
    ...(caution === undefined ? [] : [caution]),
  ];
  return parts.join('; ');
};

/** @param unit the unit that the service was seen in, which is better than the one that it usually has */
export const applyCommand = (apply: Apply, init: InitSystem, unit: string | null): string => {
  if ('command' in apply) return apply.command;
  const { verb, services } = apply;
  if (init === 'systemd') {
    return `systemctl ${verb} ${services.length === 1 && unit !== null ? unit : services.join(' ')}`;
  }
  return services
    .filter((name) => !name.endsWith('.socket'))
    .map((name) => `service ${name} ${verb}`)
    .join(' && ');
};
