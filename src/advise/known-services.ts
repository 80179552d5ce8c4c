import type { SeverityName } from '#wire/audit';
import { AdviseError } from './errors.ts';
import { dataStores } from './known-data-stores.ts';
import { infrastructure } from './known-infrastructure.ts';
import type { KnownService } from './known-service.ts';
import { webAndMail } from './known-web-and-mail.ts';

/** Everything that is known of services, as data. Order matters only where two entries share an executable. */
export const knownServices: readonly KnownService[] = [...infrastructure, ...dataStores, ...webAndMail];

/** Where a port makes the difference, the first entry with that port wins. */
export type PortSeverity = { service: string; port: number; exposed: SeverityName; why: string };

/** Ports that are worse or better than the rest of their service. */
export const portSeverities: readonly PortSeverity[] = [
  {
    service: 'Docker',
    port: 2376,
    exposed: 'high',
    why: 'its API is root on this host; this port asks for a certificate',
  },
  { service: 'RabbitMQ', port: 4369, exposed: 'medium', why: 'epmd lists the Erlang nodes to anyone' },
];

/** What the table knows of a name. @throws AdviseError `unknown-service` */
export const knownServiceNamed = (name: string): KnownService => {
  const service = knownServices.find((one) => one.name === name);
  if (service === undefined) {
    throw new AdviseError(
      'unknown-service',
      `no service is called ${JSON.stringify(name)}; known are ${knownServices.map((one) => one.name).join(', ')}`,
    );
  }
  return service;
};
