import type { Finding } from '#wire/audit';
import type { Listener } from '#inspect';
import { endpointOf, type Door } from './doors.ts';
import { holdersOf } from './evidence.ts';
import { doNotRun } from './ladder.ts';
import { subjectOf } from './recognise.ts';

const packetTools = /\/(?:dhclient|dhcpcd|systemd-networkd|NetworkManager|wpa_supplicant|lldpd|udhcpc)$/;

/** Raw and packet sockets take bytes without a port, and packet sockets before any firewall rule. */
export const findSniffers = (door: Door): Finding[] => {
  const { lead, listeners, processes } = door;
  const tools = processes.length > 0 && processes.every(({ exe }) => packetTools.test(exe ?? ''));
  if (tools || !lead.netns.own) return [];
  const [name] = endpointOf(lead).split(' ');
  return [
    {
      id: `services/${lead.scope}-listener/${endpointOf(lead).replace(' ', '-')}`,
      section: 'services',
      severity: name === 'packet' ? 'low' : 'info',
      title: `${subjectOf(lead)} ${name === 'packet' ? seesPackets(listeners) : takesRaw(listeners)}`,
      evidence: [
        ...holdersOf(door),
        ...(lead.whyUnseen === null ? [] : [lead.whyUnseen]),
        ...new Set(listeners.map(endpointOf)),
      ],
      options: [
        {
          step: 'investigate',
          action: 'see whether it should: a capture that was left running, a monitor, a sniffer',
        },
        ...doNotRun(door),
      ],
    },
  ];
};

const seesPackets = (listeners: readonly Listener[]): string => {
  const interfaces = [...new Set(listeners.map(({ address }) => address))];
  const where = interfaces.includes('*') ? 'every interface' : interfaces.join(', ');
  return `sees every packet on ${where}, before the firewall`;
};

const takesRaw = (listeners: readonly Listener[]): string => {
  const protocols = [...new Set(listeners.map(({ port }) => port ?? '?'))];
  return `takes raw IP packets (${protocols.length === 1 ? 'protocol' : 'protocols'} ${protocols.join(', ')})`;
};
