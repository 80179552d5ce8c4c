import { restart, type KnownService } from './known-service.ts';

const passwordless = 'by default it obeys whoever can connect, without a password';
const database = 'a database that strangers can try passwords on';

/** Databases, caches and message brokers. */
export const dataStores: readonly KnownService[] = [
  {
    name: 'MySQL',
    executables: ['mysqld'],
    exposed: 'high',
    why: database,
    localOnly: {
      file: '/etc/mysql/mysql.conf.d/mysqld.cnf',
      directive: 'bind-address=127.0.0.1 and mysqlx-bind-address=127.0.0.1',
      test: 'mysqld --validate-config',
      apply: restart('mysql'),
    },
  },
  {
    name: 'MariaDB',
    executables: ['mariadbd'],
    // Debian 12 enables the socket unit with the package: port 3306 on every address.
    units: ['mariadb.service', 'mariadb.socket'],
    exposed: 'high',
    why: database,
    socketUnneeded: true,
    localOnly: {
      file: '/etc/mysql/mariadb.conf.d/50-server.cnf',
      directive: 'bind-address=127.0.0.1',
      test: 'mariadbd --help --verbose >/dev/null',
      apply: restart('mariadb'),
      caution: 'a Galera cluster also uses ports 4567, 4568 and 4444',
    },
  },
  {
    name: 'PostgreSQL',
    executables: ['postgres'],
    exposed: 'high',
    why: database,
    localOnly: {
      file: '/etc/postgresql/<version>/main/postgresql.conf',
      directive: "listen_addresses='localhost'",
      test: `runuser -u postgres -- psql -c "select * from pg_file_settings where error is not null"`,
      apply: restart('postgresql'),
      caution: 'postgresql.auto.conf overrides it',
    },
  },
  {
    name: 'Redis',
    executables: ['redis-server', 'redis-check-rdb', 'valkey-server'],
    exposed: 'critical',
    why: passwordless,
    localOnly: {
      file: '/etc/redis/redis.conf',
      directive: 'bind 127.0.0.1 -::1',
      test: null,
      apply: restart('redis-server'),
      caution: 'a cluster also uses the port plus 10000',
    },
  },
  {
    name: 'memcached',
    executables: ['memcached'],
    exposed: 'critical',
    why: passwordless,
    localOnly: {
      file: '/etc/memcached.conf',
      directive: '-l 127.0.0.1 and -U 0',
      test: null,
      apply: restart('memcached'),
    },
  },
  {
    name: 'MongoDB',
    executables: ['mongod', 'mongos'],
    exposed: 'critical',
    why: passwordless,
    localOnly: {
      file: '/etc/mongod.conf',
      directive: 'net.bindIp: 127.0.0.1',
      test: 'mongod -f /etc/mongod.conf --outputConfig',
      apply: restart('mongod'),
    },
  },
  {
    name: 'Elasticsearch',
    executables: [],
    packages: ['elasticsearch', 'opensearch'],
    script: /elasticsearch|opensearch/i,
    exposed: 'critical',
    why: 'older versions obey whoever can connect, without a password',
    localOnly: {
      file: '/etc/elasticsearch/elasticsearch.yml',
      directive: 'network.host: _local_',
      test: null,
      apply: restart('elasticsearch'),
    },
  },
  {
    name: 'RabbitMQ',
    executables: ['beam.smp', 'epmd'],
    units: ['rabbitmq-server.service', 'epmd.service', 'epmd.socket'],
    exposed: 'high',
    why: 'a message broker, and an Erlang node that runs code for whoever has its cookie',
    localOnly: {
      file: '/etc/rabbitmq/rabbitmq.conf',
      directive:
        'listeners.tcp.1=127.0.0.1:5672 and management.tcp.ip=127.0.0.1; in advanced.config inet_dist_use_interface {127,0,0,1}; ERL_EPMD_ADDRESS=127.0.0.1',
      test: 'rabbitmq-diagnostics listeners',
      apply: restart('rabbitmq-server'),
    },
  },
];
