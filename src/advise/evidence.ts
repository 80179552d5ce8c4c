import { endpointOf, type Door } from './doors.ts';
import { whyExposed } from './exposure.ts';

/** What was seen of a door: holders, why it matters, what was not looked at, and every endpoint on a line of its own. */
export const evidenceOf = (door: Door): string[] => {
  const { lead, listeners, known, clients } = door;
  return [
    ...holdersOf(door),
    ...(lead.socketUnit === null
      ? []
      : [
          `held through ${lead.socketUnit}: the address is set there, whatever ${known?.name ?? lead.activates ?? 'the service'} is told in its own configuration`,
        ]),
    ...(lead.whyUnseen === null
      ? []
      : [`${lead.whyUnseen}${lead.uid === null ? '' : `; the socket belongs to user id ${lead.uid}`}`]),
    ...(known === null || clients ? [] : [`${known.name}: ${whyExposed(lead, known)}`]),
    ...(clients
      ? ['UDP on a port that the kernel handed out: most likely a client that waits for answers']
      : []),
    lead.scope === 'container'
      ? 'forwarding and DNAT rules were not read: whether strangers reach that namespace is not known'
      : 'judged by its address alone: firewall rules are not counted',
    ...new Set(listeners.map(endpointOf)),
  ];
};

/** Who has it open, one line each. */
export const holdersOf = ({ processes }: Door): string[] => {
  const shown = processes.slice(0, 3).map((process) => {
    const parts = [
      `pid ${process.pid} ${process.exe ?? '(executable unreadable)'}`,
      process.user === null ? null : `user ${process.user}`,
      process.unit,
      process.package === null ? null : `package ${process.package}`,
    ];
    return parts.filter((part) => part !== null).join(', ');
  });
  const more = processes.length - shown.length;
  return [
    ...shown,
    ...(more > 0 ? [`and ${more} more ${more === 1 ? 'process has' : 'processes have'} it open`] : []),
    ...(processes.some(({ deleted }) => deleted)
      ? ['its executable was replaced or removed since it started']
      : []),
  ];
};
