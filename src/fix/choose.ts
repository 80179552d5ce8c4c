import { doorsOf, recognise, type Door } from '#advise';
import type { Listener, ServicesReport } from '#inspect';
import { FixError } from './errors.ts';

/** All that one daemon has open, as a fix takes it: it is turned as a whole. */
export type Choice = {
  /** The daemon's doors that others can send to. */
  listeners: readonly Listener[];
  door: Door;
  /** Unit to restart: of the process, or of the socket. */
  unit: string;
};

/**
 * The doors of the daemon that is meant.
 * @param wanted a port (`3306`), protocol and port (`udp/161`), a unit (`mariadb.service`, or without its suffix), or a
 *   service by its name (`MariaDB`)
 * @throws FixError `no-such-door`, `ambiguous-door`
 */
export const chooseDoor = (report: ServicesReport, wanted: string): Choice => {
  const exposed = report.listeners.filter(isExposed);
  const named = exposed.filter(isMeant(wanted));
  // smbd and nmbd are one service with one configuration.
  const units = new Map(
    named.map((one) => [recognise(one)?.name === 'Samba' ? 'smbd.service' : unitOf(one), one]),
  );
  if (named.length === 0) {
    const isLocal = report.listeners.some((one) => one.scope === 'local' && isMeant(wanted)(one));
    throw new FixError(
      'no-such-door',
      isLocal
        ? `'${wanted}' is open to this host alone already`
        : `nothing that others can send to is '${wanted}'; open are ${namesOf(exposed)}`,
    );
  }
  if (units.size > 1) {
    throw new FixError(
      'ambiguous-door',
      `'${wanted}' is open in several units: name one of ${[...units.keys()].map((unit) => unit ?? 'without unit').join(', ')}`,
    );
  }
  const [[unit = null] = []] = [...units];
  if (unit === null)
    throw new FixError(
      'no-knob',
      `whatever has '${wanted}' open runs in no unit of this host's systemd (a login, a user's own units, a container): change it there`,
    );
  const listeners = exposed.filter(
    (one) => unitOf(one) === unit || (unit === 'smbd.service' && recognise(one)?.name === 'Samba'),
  );
  const [door] = doorsOf(listeners, report.init);
  if (door === undefined) throw new FixError('no-such-door', `nothing is '${wanted}'`);
  return { listeners, door, unit };
};

/** On the host's own network, with a port, and to more than this host. */
export const isExposed = ({ protocol, scope, netns, transient }: Listener): boolean =>
  (protocol === 'tcp' || protocol === 'udp') &&
  netns.own &&
  (scope === 'public' || scope === 'network') &&
  transient !== true;

/** What this host's systemd listens with, or its unit of the process that does. */
export const unitOf = (listener: Listener): string | null => {
  const { holder, socketUnit, processes } = listener;
  if (holder === 'systemd' && socketUnit !== null) return socketUnit;
  if (holder === 'kernel') return recognise(listener)?.units?.[0] ?? null;
  return (
    processes.find(({ unit, container }) => container === null && unit?.endsWith('.service') === true)
      ?.unit ?? null
  );
};

const isMeant = (wanted: string): ((one: Listener) => boolean) => {
  const [, protocol, port] = /^(?:(tcp|udp)[/:])?(\d{1,5})$/.exec(wanted.toLowerCase()) ?? [];
  if (port !== undefined)
    return (one) => one.port === Number(port) && (protocol === undefined || one.protocol === protocol);
  const name = wanted.toLowerCase();
  return (one) => {
    const names = [unitOf(one), one.activates, recognise(one)?.name, one.processes[0]?.package];
    return names.some(
      (known) => known?.toLowerCase() === name || known?.toLowerCase().replace(/\.\w+$/, '') === name,
    );
  };
};

const namesOf = (listeners: readonly Listener[]): string =>
  listeners.length === 0
    ? 'no ports'
    : [...new Set(listeners.map(({ protocol, port }) => `${protocol}/${port ?? ''}`))].join(', ');
