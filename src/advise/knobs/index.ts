import type { Knob } from './knob.ts';
import { avahi, cups, nfs, rsyslog, samba, snmpd, syslogNg } from './infrastructure.ts';
import { memcached, nodeExporter, rabbitmq, redis } from './stores.ts';
import { inetd, openssh, vsftpd } from './login.ts';
import { dovecot, exim, postfix } from './mail.ts';
import { mariadb, mysql } from './mariadb.ts';
import { bind, chrony, unbound } from './names.ts';
import { postgresql } from './postgresql.ts';
import { apache, nginx, phpFpm, tomcat } from './web.ts';

/** A knob for each service that Holdfast can turn by itself, or of which it knows why it cannot. */
export const knobs: readonly Knob[] = [
  mariadb,
  mysql,
  postgresql,
  redis,
  memcached,
  rabbitmq,
  nginx,
  apache,
  phpFpm,
  tomcat,
  postfix,
  exim,
  dovecot,
  bind,
  unbound,
  chrony,
  openssh,
  vsftpd,
  inetd,
  cups,
  avahi,
  samba,
  snmpd,
  rsyslog,
  syslogNg,
  nfs,
  nodeExporter,
];

/** The knob of a known service; `null` where it is turned by hand. */
export const knobOf = (service: string): Knob | null =>
  knobs.find((knob) => knob.service === service) ?? null;

export { cannotTurn } from './knob.ts';
export { socketKnob } from './socket-unit.ts';
export type { Argv, CannotTurn, Check, Edit, Effective, Knob, KnobFacts, Turn } from './knob.ts';
export { isLocalValue, isLoopback } from './text.ts';
