import type { InitSystem } from '#inspect';

/**
 * A daemon as Debian and Ubuntu package it. `command` starts it without an init system: it goes to the background by
 * itself.
 */
export type PackagedDaemon = { name: string; package: string; unit: string; command: string };

export const rsyslog: PackagedDaemon = {
  name: 'rsyslog',
  package: 'rsyslog',
  unit: 'rsyslog',
  command: 'rsyslogd',
};
export const syslogNg: PackagedDaemon = {
  name: 'syslog-ng',
  package: 'syslog-ng',
  unit: 'syslog-ng',
  command: 'syslog-ng',
};
export const chrony: PackagedDaemon = {
  name: 'chrony',
  package: 'chrony',
  unit: 'chrony',
  command: 'chronyd',
};
export const auditd: PackagedDaemon = {
  name: 'auditd',
  package: 'auditd',
  unit: 'auditd',
  command: 'auditd',
};

/** What starts it now and at every boot. */
export const start = ({ unit, command }: PackagedDaemon, init: InitSystem): string =>
  init === 'systemd'
    ? `\`systemctl enable --now ${unit}\``
    : `\`${command}\` (there is no systemd here: have it started at boot too)`;

/** Installing starts a daemon under systemd, and nowhere else for certain. */
export const install = (daemon: PackagedDaemon, init: InitSystem): string =>
  init === 'systemd'
    ? `\`apt-get install ${daemon.package}\``
    : `\`apt-get install ${daemon.package}\`, then ${start(daemon, init)}`;

/** What makes it read its configuration anew. `pid`: of the process that runs, if one does. */
export const restart = (daemon: PackagedDaemon, pid: number | null, init: InitSystem): string =>
  init === 'systemd'
    ? `\`systemctl restart ${daemon.unit}\``
    : pid === null
      ? start(daemon, init)
      : `end the one that runs and start it again the way it was started: \`kill ${pid}\`, and when it has ended \`${daemon.command}\``;

/** Which service a process belongs to, and how to start it again. */
export const restartOfProcess = (pid: number, init: InitSystem): string =>
  init === 'systemd'
    ? `\`systemctl status ${pid}\` names its unit; \`systemctl restart UNIT\``
    : `end it and start it again the way it was started (\`ps -o pid,ppid,lstart,args -p ${pid}\`)`;

export const reboot = (init: InitSystem): string =>
  init === 'systemd' ? '`systemctl reboot`' : '`reboot`, or through whatever runs this machine';

/** A word that a shell takes as it stands, quoted where it has to be: names of files are chosen by anybody. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
