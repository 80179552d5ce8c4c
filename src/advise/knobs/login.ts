import { command, trial, turnOf, type Knob } from './knob.ts';
import { commentedOut, dropIn, editsOf, mapLines, withDirective } from './text.ts';

/** Addresses add up: those of other files become comments. Sessions that are open stay so over a restart. */
export const openssh: Knob = {
  service: 'OpenSSH',
  files: ['/etc/ssh/sshd_config', '/etc/ssh/sshd_config.d/*.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      [
        ...editsOf(facts.files, /^/, (text) => commentedOut(text, /^\s*ListenAddress\s/i)),
        dropIn('/etc/ssh/sshd_config.d/00-holdfast-local.conf', [
          'ListenAddress 127.0.0.1',
          'ListenAddress ::1',
        ]),
      ],
      {
        checks: [command('/usr/sbin/sshd', '-t')],
        effective: {
          argv: ['/usr/sbin/sshd', '-T'],
          value: (printed) =>
            [...printed.matchAll(/^listenaddress (.*):\d+$/gm)]
              .map(([, address = '']) => address)
              .join(', ') || null,
        },
      },
    ),
};

export const vsftpd: Knob = {
  service: 'vsftpd',
  files: ['/etc/vsftpd.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /vsftpd\.conf$/, (text) =>
        [
          ['listen', 'YES'],
          ['listen_ipv6', 'NO'],
          ['listen_address', '127.0.0.1'],
        ].reduce(
          (now, [name = '', value = '']) => withDirective(now, new RegExp(`^${name}=`), `${name}=${value}`),
          text,
        ),
      ),
      { checks: [trial('/usr/sbin/vsftpd', '/etc/vsftpd.conf')] },
    ),
};

/** In the defaults it holds for every service that does not say otherwise. */
const xinetdDefaults = (text: string): string =>
  /^\s*bind\s*=/m.test(text)
    ? text.replaceAll(/^(\s*bind\s*=\s*).*$/gm, '$1127.0.0.1')
    : text.replace(/^(\s*defaults\s*\{)/m, '$1\n\tbind = 127.0.0.1');

/** xinetd and the inetds of Debian are one service to the table of known ones: the unit tells which it is. */
export const inetd: Knob = {
  service: 'inetd',
  files: ['/etc/xinetd.conf', '/etc/xinetd.d/*', '/etc/inetd.conf', '/etc/inetd.d/*'],
  turn: (facts) =>
    facts.unit.startsWith('xinetd')
      ? turnOf(
          facts,
          [
            ...editsOf(facts.files, /xinetd\.conf$/, xinetdDefaults),
            ...editsOf(facts.files, /xinetd\.d\//, (text) =>
              text.replaceAll(/^(\s*(?:bind|interface)\s*=\s*).*$/gm, '$1127.0.0.1'),
            ),
          ],
          { checks: [trial('/usr/sbin/xinetd', '-dontfork', '-stayalive')] },
        )
      : turnOf(
          facts,
          editsOf(facts.files, /\/inetd\.(?:conf|d\/)/, (text) =>
            mapLines(text, (line) =>
              line.replace(/^(?:[\d.*]+:)?([\w-]+\s+(?:stream|dgram)\s+(?:tcp|udp)\b)/, '127.0.0.1:$1'),
            ),
          ),
        ),
};
