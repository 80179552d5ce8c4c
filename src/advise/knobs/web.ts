import { command, turnOf, type Knob } from './knob.ts';
import { editsOf, isLoopback, loopbackOf, mapLines, portsOf } from './text.ts';

/** `80`, `*:80`, `[::]:80`, `10.0.0.5:80` → this host's own address with that port; `null` for other ports and paths. */
const localPlace = (place: string, ports: readonly number[]): string | null => {
  const [, address = '*', port] = /^(?:(.*):)?(\d+)$/.exec(place) ?? [];
  if (port === undefined || !ports.includes(Number(port)) || isLoopback(address)) return null;
  const local = loopbackOf(address);
  return `${local.includes(':') ? `[${local}]` : local}:${port}`;
};

/** Each `listen` of each server is its own. A reload from a wildcard to one address can fail silently, so: restart. */
export const nginx: Knob = {
  service: 'nginx',
  files: [
    '/etc/nginx/nginx.conf',
    '/etc/nginx/conf.d/*.conf',
    '/etc/nginx/sites-enabled/*',
    '/etc/nginx/modules-enabled/*',
  ],
  turn: (facts) => {
    const ports = portsOf(facts);
    return turnOf(
      facts,
      editsOf(facts.files, /^/, (text) =>
        text.replaceAll(
          /^(\s*listen\s+)([^\s;]+)([^;\n]*;)/gm,
          (whole, before: string, place: string, rest: string) => {
            const local = localPlace(place, ports);
            return local === null ? whole : `${before}${local}${rest}`;
          },
        ),
      ),
      { checks: [command('nginx', '-t')] },
    );
  },
};

export const apache: Knob = {
  service: 'Apache',
  files: [
    '/etc/apache2/ports.conf',
    '/etc/apache2/apache2.conf',
    '/etc/apache2/sites-enabled/*',
    '/etc/apache2/conf-enabled/*',
  ],
  turn: (facts) => {
    const ports = portsOf(facts);
    return turnOf(
      facts,
      editsOf(facts.files, /^/, (text) =>
        mapLines(text, (line) => {
          const [, before = '', place = '', rest = ''] = /^(\s*Listen\s+)(\S+)(.*)$/i.exec(line) ?? [];
          const local = localPlace(place, ports);
          return local === null ? line : `${before}${local}${rest}`;
        }),
      ),
      { checks: [command('apachectl', '-t')] },
    );
  },
};

export const phpFpm: Knob = {
  service: 'PHP-FPM',
  files: ['/etc/php/*/fpm/pool.d/*.conf'],
  turn: (facts) => {
    const ports = portsOf(facts);
    return turnOf(
      facts,
      editsOf(facts.files, /^/, (text) =>
        mapLines(text, (line) => {
          const [, before = '', place = ''] = /^(\s*listen\s*=\s*)(\S+)\s*$/.exec(line) ?? [];
          const local = localPlace(place, ports);
          return local === null ? line : `${before}${local}`;
        }),
      ),
      { checks: facts.exe === null ? [] : [command(facts.exe, '-t')] },
    );
  },
};

/** Elements in comments stay as they are. */
export const tomcat: Knob = {
  service: 'Tomcat',
  files: ['/etc/tomcat*/server.xml'],
  turn: (facts) => {
    const name = facts.unit.replace(/\.service$/, '');
    const ports = portsOf(facts);
    return turnOf(
      facts,
      editsOf(facts.files, new RegExp(`^/etc/${name}/`), (text) =>
        text
          .split(/(<!--[^]*?-->)/)
          .map((part) => (part.startsWith('<!--') ? part : localConnectors(part, ports)))
          .join(''),
      ),
      {
        checks: [
          command(
            'setpriv',
            '--reuid=tomcat',
            '--regid=tomcat',
            '--init-groups',
            'env',
            `CATALINA_HOME=/usr/share/${name}`,
            `CATALINA_BASE=/var/lib/${name}`,
            `/usr/share/${name}/bin/catalina.sh`,
            'configtest',
          ),
        ],
      },
    );
  },
};

const localConnectors = (xml: string, ports: readonly number[]): string =>
  xml
    .replaceAll(/<Connector\b[^>]*>/g, (element) => {
      const port = Number(/\bport="(\d+)"/.exec(element)?.[1] ?? -1);
      if (!ports.includes(port)) return element;
      return element
        .replace(/\s+address="[^"]*"/, '')
        .replace('<Connector', '<Connector address="127.0.0.1"');
    })
    .replace(/(<Server\b[^>]*\bport=")(\d+)"/, (whole, before: string, port: string) =>
      ports.includes(Number(port)) ? `${before}-1"` : whole,
    );
