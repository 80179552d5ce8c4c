import { command, turnOf, type Knob } from './knob.ts';
import { dropIn, editsOf, withDirective } from './text.ts';

/** It opens its sockets at the start alone. An address in master.cf counts more, and shows in the proof. */
export const postfix: Knob = {
  service: 'Postfix',
  files: ['/etc/postfix/main.cf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /main\.cf$/, (text) =>
        withDirective(text, /^inet_interfaces\s*=/, 'inet_interfaces = loopback-only'),
      ),
      {
        checks: [command('postfix', 'check')],
        effective: { argv: ['postconf', '-h', 'inet_interfaces'], value: (printed) => printed.trim() },
        cautions: ['mail from other hosts is not taken any more'],
      },
    ),
};

/** Debian makes Exim's configuration from this file at each start. */
export const exim: Knob = {
  service: 'Exim',
  files: ['/etc/exim4/update-exim4.conf.conf', '/etc/exim4/exim4.conf'],
  turn: (facts) => {
    if (facts.files.has('/etc/exim4/exim4.conf'))
      return {
        why: '/etc/exim4/exim4.conf stands in the way of what Debian generates',
        remedy: 'set local_interfaces = <; 127.0.0.1 ; ::1 in it and restart exim4',
      };
    return turnOf(
      facts,
      editsOf(facts.files, /update-exim4/, (text) =>
        withDirective(text, /^dc_local_interfaces=/, "dc_local_interfaces='127.0.0.1 ; ::1'"),
      ),
      {
        checks: [
          command(
            'sh',
            '-ec',
            'update-exim4.conf --output /etc/exim4/candidate && exim4 -C /etc/exim4/candidate -bV',
          ),
        ],
        cautions: ['mail from other hosts is not taken any more'],
      },
    );
  },
};

export const dovecot: Knob = {
  service: 'Dovecot',
  files: ['/etc/dovecot/dovecot.conf'],
  turn: (facts) =>
    turnOf(facts, [dropIn('/etc/dovecot/conf.d/99-holdfast-local.conf', ['listen = 127.0.0.1, ::1'])], {
      checks: [command('doveconf', '-n')],
      effective: { argv: ['doveconf', '-h', 'listen'], value: (printed) => printed.trim() },
    }),
};
