import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chapter } from './cacti-story.ts';
import type { Fleet, Host } from './host.ts';
import type { Outcome } from './run.ts';
import { plainEnvironment } from './run.ts';
import { withHoldfast } from './with-holdfast.ts';

/**
 * The seed case: Debian's cacti with Debian's mariadb-server on one host, whose database listens on all addresses, and a
 * host outside, which reaches the first one and is reached by it over ssh.
 */
export type CactiHosts = { cacti: Host; outside: Host };

/** One set for both hosts, so that one layer of packages is made. */
export const packages = [
  'mariadb-server',
  'cacti',
  'dbconfig-no-thanks',
  'apache2',
  'libapache2-mod-php',
  'curl',
  'openssh-server',
  'openssh-client',
  'nftables',
] as const;

/** What an operator writes who once needed the database from elsewhere. */
const wideOpen = '[mysqld]\nbind-address = *\n';

const connection = `<?php
$database_type     = 'mysql';
$database_default  = 'cacti';
$database_hostname = '127.0.0.1';
$database_username = 'cacti';
$database_password = 'cacti';
$database_port     = '3306';
$database_retries  = 5;
$database_ssl      = false;
$database_persist  = false;
`;

/** Cacti's own tables and its poller, which here runs again and again rather than every five minutes. */
const setUp = `
mariadb -e "CREATE DATABASE cacti; CREATE USER cacti@localhost IDENTIFIED BY 'cacti'; CREATE USER cacti@'%' IDENTIFIED BY 'cacti';
GRANT ALL ON cacti.* TO cacti@localhost; GRANT ALL ON cacti.* TO cacti@'%'"
mariadb cacti < /usr/share/doc/cacti/cacti.sql
version=$(dpkg-query --show --showformat='\${Version}' cacti | sed 's/[+-].*//')
mariadb cacti -e "UPDATE version SET cacti='$version'; UPDATE user_auth SET must_change_password='', password_change=''"
systemctl enable --quiet --now cacti-poller.service
`;

const poller = `[Unit]
Description=Cacti's poller
After=mariadb.service
[Service]
User=www-data
ExecStart=/bin/sh -c 'while :; do php /usr/share/cacti/site/poller.php --force >/dev/null; sleep 1; done'
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
`;

/** Dials the host's own name, which is its address on the network: it works, and is how fixes go wrong. */
const billing = `[Unit]
Description=Billing, which keeps a connection to the database
After=mariadb.service
[Service]
ExecStart=/usr/bin/php -r '$$db = mysqli_connect("cacti", "cacti", "cacti", "cacti"); while (mysqli_query($$db, "SELECT 1")) usleep(200000); exit(1);'
Restart=always
RestartSec=1
`;

/** Starts both and makes Cacti work. */
export const startCactiHosts = async (fleet: Fleet): Promise<CactiHosts> => {
  const outside = await fleet.startHost({ name: 'outside', packages });
  // One machine would do for all; here only the first one's services matter.
  await outside.ok(['systemctl', 'stop', 'mariadb.socket', 'mariadb.service', 'apache2.service']);
  const cacti = await fleet.startHost(
    withHoldfast({
      name: 'cacti',
      packages,
      prepare: (directory) => {
        const at = (path: string): string => join(directory, path);
        writeFileSync(at('etc/mysql/mariadb.conf.d/60-lan.cnf'), wideOpen);
        writeFileSync(at('etc/cacti/debian.php'), connection);
        writeFileSync(at('etc/systemd/system/cacti-poller.service'), poller);
        writeFileSync(at('etc/systemd/system/billing.service'), billing);
      },
    }),
  );
  // Debian's socket unit would listen on 3306 for MariaDB whatever its configuration says.
  await cacti.ok([
    'sh',
    '-ec',
    `systemctl disable --quiet --now mariadb.socket; systemctl restart mariadb; ${setUp}`,
  ]);
  await letIn(cacti, outside);
  await cacti.ok(['systemctl', 'start', 'billing']);
  await startHoldfast(cacti);
  return { cacti, outside };
};

/** The operator of the first host may run commands on the second. */
const letIn = async (from: Host, to: Host): Promise<void> => {
  await from.ok(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/root/.ssh/id_ed25519']);
  const key = await from.ok(['cat', '/root/.ssh/id_ed25519.pub']);
  await to.ok(['sh', '-ec', 'mkdir -p -m 700 /root/.ssh; cat > /root/.ssh/authorized_keys'], { input: key });
  await from.ok(['sh', '-c', `ssh-keyscan ${to.name} > /root/.ssh/known_hosts`]);
};

/** `holdfast up`, so that what is done becomes lines of a log. */
const startHoldfast = async (host: Host): Promise<void> => {
  await host.ok(['systemd-run', '--quiet', '--unit=holdfast', 'holdfast', 'up', '--no-agent']);
  const ready =
    'for i in $(seq 300); do [ -e /var/lib/holdfast/run/ready.json ] && exit 0; sleep 0.2; done; exit 1';
  await host.ok(['sh', '-c', ready]);
};

/** Does what a chapter says, as at a terminal of 80 columns. What it prints is as it came: both streams together. */
export const act = async ({ cacti, outside }: CactiHosts, { at, command }: Chapter): Promise<Outcome> =>
  (at === 'cacti' ? cacti : outside).run(['bash', '-c', `exec 2>&1; set -o pipefail; ${command}`], {
    milliseconds: 300_000,
    env: { ...plainEnvironment, COLUMNS: '80' },
  });

/** What is not as the chapter says, a sentence each. */
export const faultsOf = ({ status, prints, never = [] }: Chapter, outcome: Outcome): string[] => [
  ...(outcome.status === status ? [] : [`it ended with status ${outcome.status}, not ${status}`]),
  ...prints.filter((wanted) => !wanted.test(outcome.stdout)).map((wanted) => `it does not print ${wanted}`),
  ...never.filter((unwanted) => unwanted.test(outcome.stdout)).map((unwanted) => `it prints ${unwanted}`),
];
