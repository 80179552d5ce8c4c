import { command, trial, turnOf, type Knob } from './knob.ts';
import { dropIn, editsOf, portsOf, withDirective } from './text.ts';

/** Has no checker, and no directory for additions. `protected-mode` stays as it is: it asks nothing of this host. */
export const redis: Knob = {
  service: 'Redis',
  files: ['/etc/redis/redis.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /redis\.conf$/, (text) =>
        withDirective(text, /^\s*bind\s/, 'bind 127.0.0.1 -::1'),
      ),
      {
        checks: [
          trial(
            facts.exe?.replace('redis-check-rdb', 'redis-server') ?? '/usr/bin/redis-server',
            '/etc/redis/redis.conf',
            '--daemonize',
            'no',
            '--supervised',
            'no',
            '--logfile',
            '',
          ),
        ],
        cautions: /^\s*cluster-enabled\s+yes/m.test(facts.files.get('/etc/redis/redis.conf') ?? '')
          ? ['this is a node of a cluster: the others will not reach it any more, nor its port plus 10000']
          : [],
      },
    ),
};

/** The file holds command-line options, one a line. UDP, where it is on, is turned off: nothing local needs it. */
export const memcached: Knob = {
  service: 'memcached',
  files: ['/etc/memcached.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /memcached\.conf$/, (text) =>
        withDirective(withDirective(text, /^-l\s/, '-l 127.0.0.1'), /^-U\s/, '-U 0'),
      ),
      {
        checks: [trial('/usr/share/memcached/scripts/systemd-memcached-wrapper', '/etc/memcached.conf')],
        closes: portsOf(facts).map((port) => `udp ${port}`),
      },
    ),
};

/**
 * Three things listen: clients' port, Erlang's distribution, and epmd, which systemd listens for (a door of its own). The
 * node's own tools dial the distribution by the host's name: its address is the one that must stay open.
 */
export const rabbitmq: Knob = {
  service: 'RabbitMQ',
  files: ['/etc/rabbitmq/rabbitmq.conf', '/etc/rabbitmq/conf.d/*.conf', '/etc/rabbitmq/advanced.config'],
  asks: [['sh', '-c', 'getent ahostsv4 "$(hostname --short)"']],
  turn: (facts) => {
    const address = facts.answers[0]?.split(/\s+/)[0] ?? '';
    if (facts.files.has('/etc/rabbitmq/advanced.config'))
      return {
        why: '/etc/rabbitmq/advanced.config is an Erlang term that somebody wrote',
        remedy:
          'add {kernel, [{inet_dist_use_interface, {127,0,0,1}}]} to it, and listeners.tcp.1 to rabbitmq.conf',
      };
    if (!address.startsWith('127.'))
      return {
        why: `the node's own tools dial this host's name, which is ${address === '' ? 'unknown' : address}, and would be refused`,
        remedy: 'give the name 127.0.1.1 in /etc/hosts first, or let a firewall narrow port 25672',
      };
    const names = [...facts.files.values()].flatMap((text) =>
      [...text.matchAll(/^\s*(listeners\.tcp\.\w+)\s*=/gm)].map(([, name = '']) => name),
    );
    const listeners = names.length === 0 ? ['listeners.tcp.local'] : [...new Set(names)];
    const ports = portsOf(facts);
    return turnOf(
      facts,
      [
        dropIn('/etc/rabbitmq/conf.d/zz-holdfast-local.conf', [
          ...listeners.map((name, n) => `${name} = 127.0.0.1:${5672 + n}`),
          ...(ports.includes(15_672) ? ['management.tcp.ip = 127.0.0.1'] : []),
        ]),
        dropIn(
          '/etc/rabbitmq/advanced.config',
          [`[{kernel, [{inet_dist_use_interface, {${address.replaceAll('.', ',')}}}]}].`],
          '%%',
        ),
      ],
      { cautions: ['other nodes of a cluster will not reach it any more'] },
    );
  },
};

/** Its configuration is its command line. */
export const nodeExporter: Knob = {
  service: 'Prometheus node exporter',
  files: ['/etc/default/prometheus-node-exporter'],
  turn: (facts) => {
    const port = portsOf(facts)[0] ?? 9100;
    const flag = `--web.listen-address=127.0.0.1:${port}`;
    return turnOf(
      facts,
      editsOf(facts.files, /node-exporter$/, (text) =>
        withDirective(text, /^\s*ARGS=/, `ARGS="${[...argumentsIn(text), flag].join(' ')}"`),
      ),
      {
        checks: [command('sh', '-n', '/etc/default/prometheus-node-exporter')],
        cautions: [
          'a Prometheus that scrapes it from another host will be refused: a firewall may be the right step',
        ],
      },
    );
  },
};

/** What is in ARGS already, but for the address. */
const argumentsIn = (text: string): string[] =>
  (/^\s*ARGS=(["']?)(.*?)\1\s*$/m.exec(text)?.[2] ?? '')
    .split(/\s+/)
    .filter((word) => word !== '' && !word.startsWith('--web.listen-address'));
