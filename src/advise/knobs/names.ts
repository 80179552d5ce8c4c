import { command, turnOf, type Knob } from './knob.ts';
import { appended, editsOf, isLoopback, mapLines } from './text.ts';

const statements = [
  { name: 'listen-on', local: '127.0.0.1' },
  { name: 'listen-on-v6', local: '::1' },
] as const;

/** `rndc reconfig` opens and closes sockets without losing the cache; rndc itself comes by 127.0.0.1. */
export const bind: Knob = {
  service: 'BIND',
  files: ['/etc/bind/named.conf.options'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /named\.conf\.options$/, (text) =>
        statements.reduce((now, { name, local }) => {
          const own = new RegExp(`^(\\s*${name}\\s(?:[^{;]*)\\{)[^}]*\\}`, 'm');
          return own.test(now)
            ? now.replace(own, `$1 ${local}; }`)
            : now.replace(/^(\s*options\s*\{)/m, `$1\n\t${name} { ${local}; };`);
        }, text),
      ),
      {
        checks: [command('named-checkconf', '-z')],
        apply: [['rndc', 'reconfig']],
        cautions: ['other hosts that resolve names here lose it'],
      },
    ),
};

/** Addresses add up over all files, and without any it listens on this host alone. */
export const unbound: Knob = {
  service: 'Unbound',
  files: ['/etc/unbound/unbound.conf', '/etc/unbound/unbound.conf.d/*.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /^/, (text) =>
        mapLines(text, (line) => {
          const [, value = ''] =
            /^\s*(?:interface|ip-address|control-interface):\s*"?([^"\s#]+)/.exec(line) ?? [];
          const isWide = value !== '' && !value.startsWith('/') && !isLoopback(value.replace(/@\d+$/, ''));
          return isWide || /^\s*interface-automatic:\s*yes/.test(line) ? `#${line}` : line;
        }),
      ),
      { checks: [command('unbound-checkconf')], cautions: ['other hosts that resolve names here lose it'] },
    ),
};

/** A client of NTP needs no port of its own; chronyc comes by a unix socket. */
export const chrony: Knob = {
  service: 'chrony',
  files: ['/etc/chrony/chrony.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /chrony\.conf$/, (text) =>
        appended(text.replaceAll(/^(\s*(?:port|cmdport)\s)/gm, '#$1'), ['port 0', 'cmdport 0']),
      ),
      {
        checks: [command('chronyd', '-p', '-f', '/etc/chrony/chrony.conf')],
        closes: 'all',
        cautions: ['other hosts that take their time from here lose it'],
      },
    ),
};
