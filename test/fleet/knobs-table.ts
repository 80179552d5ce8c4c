import type { Suite } from './tree.ts';

/** One daemon of Debian's: how an operator opens it to the network, and what must be local after a fix. */
export type Row = {
  /** As `services fix` takes it. */
  door: string;
  /** For sh, on the host: opens it. */
  open: string;
  /** Host that it is on; two daemons that want the same port are on two. */
  on: 'one' | 'other';
  /** Unit that must be active before, between and after; `null` where a socket unit starts it on demand. */
  unit: string | null;
  /** Tried in `npm test` too. */
  sampled?: true;
  /** What a knock from outside says of it, where it is not a TCP port that refuses. */
  proof?: string;
  /** Risks that are accepted. */
  accept?: readonly string[];
};

/** What differs between the releases of Debian. */
const versions = {
  bookworm: { php: '8.2', postgresql: '15', postfix: 'postfix@-' },
  trixie: { php: '8.4', postgresql: '17', postfix: 'postfix' },
} as const;

export const packagesOf = {
  one: 'mariadb-server postgresql redis-server memcached rabbitmq-server nginx-light openssh-server postfix dovecot-imapd bind9 bind9-utils cups-daemon cups-client avahi-daemon rpcbind samba snmpd rsyslog chrony php-fpm tomcat10 vsftpd xinetd prometheus-node-exporter nfs-kernel-server',
  other:
    'apache2 exim4-daemon-light unbound syslog-ng-core inetutils-inetd openssh-server redis-server snmpd',
} as const;

/** Replaces what stands in a file. */
const write = (path: string, pattern: string, text: string, unit: string): string =>
  `sed -i -E 's#${pattern}#${text}#' ${path} && systemctl restart ${unit}`;

/** Where the cluster has what ALTER SYSTEM set. */
export const postgresqlAuto = (suite: Suite): string =>
  `/var/lib/postgresql/${versions[suite].postgresql}/main/postgresql.auto.conf`;

export const rowsOf = (suite: Suite): readonly Row[] => {
  const { php, postgresql, postfix } = versions[suite];
  return [
    {
      door: 'MariaDB',
      on: 'one',
      unit: 'mariadb.service',
      open: "systemctl disable --quiet --now mariadb.socket; printf '[mysqld]\\nbind-address=*\\n' > /etc/mysql/mariadb.conf.d/60-lan.cnf; systemctl restart mariadb",
    },
    {
      door: 'mariadb.socket',
      on: 'one',
      unit: 'mariadb.service',
      open: 'systemctl stop mariadb; systemctl enable --quiet --now mariadb.socket; systemctl start mariadb',
    },
    {
      door: 'PostgreSQL',
      on: 'one',
      unit: `postgresql@${postgresql}-main.service`,
      // ALTER SYSTEM is read after every file.
      open: `runuser -u postgres -- psql -qc "ALTER SYSTEM SET listen_addresses='*'" && systemctl restart postgresql@${postgresql}-main`,
    },
    {
      door: 'Redis',
      on: 'one',
      unit: 'redis-server.service',
      open: write('/etc/redis/redis.conf', '^bind .*', 'bind 0.0.0.0 ::', 'redis-server'),
    },
    {
      door: 'memcached',
      on: 'one',
      unit: 'memcached.service',
      open: write('/etc/memcached.conf', '^-l .*', '-l 0.0.0.0\\n-U 11211', 'memcached'),
    },
    {
      door: 'rabbitmq-server',
      on: 'one',
      unit: 'rabbitmq-server.service',
      // As Debian's installer writes it: the node's tools dial that name.
      open: 'sed -i -E "s/^[0-9.]+ $(hostname)$/127.0.1.1 $(hostname)/" /etc/hosts; systemctl restart rabbitmq-server',
    },
    {
      door: 'epmd.socket',
      on: 'one',
      unit: 'rabbitmq-server.service',
      open: 'systemctl start epmd.socket rabbitmq-server',
    },
    { door: 'nginx', on: 'one', unit: 'nginx.service', open: 'systemctl start nginx' },
    { door: 'OpenSSH', on: 'one', unit: 'ssh.service', open: 'systemctl start ssh', accept: ['lose-login'] },
    {
      door: 'postfix',
      on: 'one',
      unit: `${postfix}.service`,
      open: `cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf; cp -n /usr/share/postfix/master.cf.dist /etc/postfix/master.cf; newaliases; systemctl restart ${postfix}`,
    },
    { door: 'dovecot', on: 'one', unit: 'dovecot.service', open: 'systemctl start dovecot' },
    { door: 'BIND', on: 'one', unit: 'named.service', open: 'systemctl start named' },
    {
      door: 'CUPS',
      on: 'one',
      unit: 'cups.service',
      open: write('/etc/cups/cupsd.conf', '^Listen localhost:631', 'Port 631', 'cups'),
    },
    {
      door: 'Avahi',
      on: 'one',
      proof: 'udp 5353: ',
      unit: 'avahi-daemon.service',
      open: 'systemctl start avahi-daemon',
    },
    {
      door: 'nfs-mountd.service',
      on: 'one',
      proof: 'tcp \\d+: refused',
      unit: 'nfs-mountd.service',
      // This machine's kernel may have no nfsd: mountd without it, in units that need none.
      open: `mkdir -p /etc/systemd/system; cd /etc/systemd/system
      printf '[Unit]\nBindsTo=nfs-server.service\n[Service]\nType=forking\nExecStart=/usr/sbin/rpc.mountd\n' > nfs-mountd.service
      printf '[Unit]\nRequires=nfs-mountd.service\nAfter=nfs-mountd.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n' > nfs-server.service
      systemctl daemon-reload; systemctl start rpcbind.socket nfs-server`,
    },
    { door: 'rpcbind.socket', on: 'one', unit: null, open: 'systemctl start rpcbind.socket' },
    { door: 'Samba', on: 'one', unit: 'smbd.service', open: 'systemctl start smbd nmbd' },
    {
      door: 'SNMP',
      on: 'one',
      proof: 'udp 161: ',
      unit: 'snmpd.service',
      open: write('/etc/snmp/snmpd.conf', '^agentaddress .*', 'agentaddress udp:161', 'snmpd'),
    },
    {
      door: 'rsyslog',
      on: 'one',
      unit: 'rsyslog.service',
      open: `printf 'module(load="imudp")\\ninput(type="imudp" port="514")\\nmodule(load="imtcp")\\n$InputTCPServerRun 514\\n' > /etc/rsyslog.d/10-net.conf; systemctl restart rsyslog`,
    },
    {
      door: 'chrony',
      on: 'one',
      proof: 'udp 123: ',
      unit: 'chrony.service',
      // A host in a container may not set the clock.
      open: `mkdir -p /etc/systemd/system/chrony.service.d; printf '[Unit]\\nConditionCapability=\\n[Service]\\nExecStart=\\nExecStart=!/usr/sbin/chronyd -x -F 1\\n' > /etc/systemd/system/chrony.service.d/x.conf; systemctl daemon-reload; echo allow > /etc/chrony/conf.d/serve.conf; systemctl restart chrony`,
    },
    {
      door: 'PHP-FPM',
      on: 'one',
      unit: `php${php}-fpm.service`,
      open: write(`/etc/php/${php}/fpm/pool.d/www.conf`, '^listen = .*', 'listen = 9000', `php${php}-fpm`),
    },
    { door: 'Tomcat', on: 'one', unit: 'tomcat10.service', open: 'systemctl start tomcat10' },
    { door: 'vsftpd', on: 'one', unit: 'vsftpd.service', open: 'systemctl start vsftpd' },
    {
      door: 'xinetd',
      on: 'one',
      unit: 'xinetd.service',
      open: `sed -i -E '0,/disable[[:space:]]*= yes/s//disable = no/' /etc/xinetd.d/daytime; systemctl restart xinetd`,
    },
    {
      door: 'prometheus-node-exporter',
      on: 'one',
      unit: 'prometheus-node-exporter.service',
      open: 'systemctl start prometheus-node-exporter',
    },
    { door: 'Apache', on: 'other', unit: 'apache2.service', open: 'systemctl start apache2' },
    {
      door: 'exim4',
      on: 'other',
      unit: 'exim4.service',
      open: write(
        '/etc/exim4/update-exim4.conf.conf',
        '^dc_local_interfaces=.*',
        "dc_local_interfaces=''",
        'exim4',
      ).replaceAll("''", ''),
    },
    {
      door: 'unbound',
      on: 'other',
      unit: 'unbound.service',
      // Its trust anchor is fetched over the network.
      open: `rm -f /etc/unbound/unbound.conf.d/root-auto*; printf 'server:\\n  interface: 0.0.0.0\\n  access-control: 10.0.0.0/8 allow\\n' > /etc/unbound/unbound.conf.d/lan.conf; systemctl reset-failed unbound; systemctl restart unbound`,
    },
    {
      door: 'syslog-ng',
      sampled: true,
      on: 'other',
      unit: 'syslog-ng.service',
      open: `printf 'source s_net { network(transport("tcp") port(514)); udp(ip(0.0.0.0) port(514)); };\\nlog { source(s_net); destination(d_syslog); };\\n' > /etc/syslog-ng/conf.d/net.conf; systemctl restart syslog-ng`,
    },
    {
      door: 'inetutils-inetd',
      on: 'other',
      unit: 'inetutils-inetd.service',
      open: `echo 'daytime stream tcp nowait root internal' > /etc/inetd.conf; systemctl restart inetutils-inetd`,
    },
  ];
};
