import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet, Host } from './host.ts';
import { withHoldfast } from './with-holdfast.ts';

/**
 * A web server, its log server, and a guest who is up to no good. What happens on them is what real daemons of Debian say
 * about it: sshd, sudo, useradd, systemd, nginx, dpkg, through rsyslog and RELP.
 */
export type Incidents = { log: Host; web: Host; guest: Host };

/** One set for all three hosts, so that one layer of packages is made. */
const packages = [
  'openssh-server',
  'openssh-client',
  'sshpass',
  'sudo',
  'rsyslog',
  'rsyslog-relp',
  'nginx-light',
  'curl',
] as const;

const relp = (server: string): string =>
  `module(load="omrelp")
*.* action(type="omrelp" target="${server}" port="2514" template="RSYSLOG_SyslogProtocol23Format"
  queue.type="LinkedList" queue.filename="holdfast" queue.maxDiskSpace="1g" queue.saveOnShutdown="on" action.resumeRetryCount="-1" action.resumeInterval="1")
`;

const shop = `[Unit]
Description=The shop
StartLimitIntervalSec=60
StartLimitBurst=4
[Service]
ExecStart=/bin/sh -c 'echo "shop: cannot reach the database at 192.0.2.10:3306" >&2; exit 1'
Restart=on-failure
RestartSec=200ms
`;

const site = `log_format pairs 'client=$remote_addr request="$request" status=$status bytes=$body_bytes_sent';
server {
  listen 80;
  access_log syslog:server=unix:/dev/log,nohostname,tag=nginx pairs;
  location / { return 200 "shop\\n"; }
  location /buy { return 502; }
  location /wp-login.php { return 404; }
}
`;

/** Starts the three and makes the log server take what the network sends. */
export const startIncidentHosts = async (fleet: Fleet): Promise<Incidents> => {
  const log = await fleet.startHost(withHoldfast({ name: 'log', packages }));
  await startHoldfast(log);
  const web = await fleet.startHost({
    name: 'web',
    packages,
    prepare: (directory) => {
      const etc = join(directory, 'etc');
      writeFileSync(join(etc, 'rsyslog.d', '90-holdfast.conf'), relp('log'));
      writeFileSync(join(etc, 'systemd', 'system', 'shop.service'), shop);
      writeFileSync(join(etc, 'nginx', 'sites-available', 'default'), site);
    },
  });
  const guest = await fleet.startHost({ name: 'guest', packages });
  return { log, web, guest };
};

/** Runs `holdfast up` on it as a service, and waits until it serves. */
export const startHoldfast = async (log: Host): Promise<void> => {
  await log.ok([
    'systemd-run',
    '--quiet',
    '--unit=holdfast',
    '--property=Type=exec',
    'holdfast',
    'up',
    '--no-agent',
    '--listen',
    'relp=0.0.0.0:2514',
    '--allow',
    '10.78.0.0/24',
  ]);
  const ready =
    'for i in $(seq 300); do [ -e /var/lib/holdfast/run/ready.json ] && exit 0; sleep 0.2; done; exit 1';
  const { status } = await log.run(['sh', '-c', ready]);
  if (status !== 0)
    throw new Error(
      `Holdfast is not ready:\n${await log.ok(['journalctl', '--no-pager', '-u', 'holdfast'])}`,
    );
};

const ssh = (user: string, password: string, command: string): string[] => [
  'sshpass',
  '-p',
  password,
  'ssh',
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'NumberOfPasswordPrompts=1',
  `${user}@web`,
  command,
];

/** What went on at web, in this order. */
export const goThroughThem = async ({ log, web, guest }: Incidents): Promise<void> => {
  await web.ok(['sh', '-ec', 'useradd --create-home alice; echo alice:spring | chpasswd']);
  // Passwords are tried, and one is right.
  await Promise.all(
    ['root', 'admin', 'oracle', 'alice'].map(async (user) => guest.run(ssh(user, 'winter', 'true'))),
  );
  // It is used for what its owner may not.
  await guest.run(ssh('alice', 'spring', 'echo spring | sudo -S cat /etc/shadow'));
  // An account is made, and let into a group.
  await web.ok(['sh', '-ec', 'useradd mallory; usermod --append --groups sudo mallory']);
  // Something is installed by hand.
  await web.ok([
    'sh',
    '-ec',
    `mkdir -p /root/tool/DEBIAN; printf 'Package: tool\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: nobody <root@web>\\nDescription: a tool\\n' > /root/tool/DEBIAN/control
dpkg-deb --build /root/tool /root/tool.deb; dpkg --install /root/tool.deb`,
  ]);
  // A service fails until systemd gives up.
  await web.run(['systemctl', 'start', 'shop.service']);
  // The site is asked for what it does not have, and fails to do what it should.
  await guest.ok([
    'sh',
    '-c',
    'for i in $(seq 5); do curl -s -o /dev/null http://web/; curl -s -o /dev/null http://web/wp-login.php; done; for i in $(seq 3); do curl -s -o /dev/null http://web/buy; done',
  ]);
  // The log server is away for a while; what is said meanwhile comes afterwards.
  await log.ok(['systemctl', 'stop', 'holdfast']);
  await web.ok(['logger', '-t', 'backup', 'finished late']);
  await log.ok(['sleep', '3']);
  await startHoldfast(log);
  // A file that never was sent is carried over by hand.
  await log.ok(['sh', '-c', 'cat > /root/dpkg.log'], { input: await web.ok(['cat', '/var/log/dpkg.log']) });
};
