import type { SeverityName } from '#wire/audit';
import type { Listener } from '#inspect';
import type { KnownService } from './known-service.ts';
import { portSeverities } from './known-services.ts';

const severities: readonly SeverityName[] = ['critical', 'high', 'medium', 'low', 'info'];

const step = (severity: SeverityName, by: -1 | 1): SeverityName =>
  severities[Math.min(3, Math.max(0, severities.indexOf(severity) + by))] ?? severity;

const byPort = (listener: Listener, known: KnownService | null) =>
  portSeverities.find(({ service, port }) => service === known?.name && port === listener.port);

/**
 * How bad it is: databases, caches and RPC that strangers can reach are `high`, `critical` if they obey without a
 * password; an unknown service or an unseen holder is `medium`; what is meant to be reached is `low`. One private
 * address is one step less than all of them; running wholly as root is one step more. A client's socket, and what is
 * in a network namespace of its own, is `low`. `info`: nothing to complain about.
 */
export const severityOf = (listener: Listener, known: KnownService | null): SeverityName => {
  const base = byPort(listener, known)?.exposed ?? known?.exposed ?? 'medium';
  if (base === 'info') return base;
  if (listener.scope === 'container' || isClients(listener, known)) return 'low';
  const reached = listener.scope === 'network' ? step(base, 1) : base;
  const rootAlone = listener.processes.length > 0 && listener.processes.every(({ uid }) => uid === 0);
  const raises =
    rootAlone && listener.holder === 'process' && !known?.meantForStrangers && reached !== 'high';
  return raises ? step(reached, -1) : reached;
};

/** Why a known service is worth a finding. */
export const whyExposed = (listener: Listener, known: KnownService): string =>
  byPort(listener, known)?.why ?? known.why;

/**
 * Whether it looks like the socket of a client that waits for answers: UDP on a port that the kernel handed out, which
 * nobody configured. What systemd or the kernel holds was configured.
 */
export const isClients = (listener: Listener, known: KnownService | null): boolean =>
  listener.transient === false &&
  listener.holder !== 'systemd' &&
  listener.holder !== 'kernel' &&
  known?.anyPort !== true;
