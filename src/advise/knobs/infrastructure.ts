import { command, trial, turnOf, type Knob } from './knob.ts';
import { commentedOut, dropIn, editsOf, mapLines, portsOf, appended, withDirective } from './text.ts';

const noRemote = 'printers of this host are not offered to others any more';

/** cups.socket, where systemd listens, is a door of its own; so is cups-browsed. */
export const cups: Knob = {
  service: 'CUPS',
  files: ['/etc/cups/cupsd.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /cupsd\.conf$/, (text) => {
        const narrowed = commentedOut(text, /^\s*(?:Port\s|Listen\s+(?!\/|localhost|127\.|\[::1\]))/i);
        const port = portsOf(facts)[0] ?? 631;
        return new RegExp(`^\\s*Listen\\s+localhost:${port}\\b`, 'm').test(narrowed)
          ? narrowed
          : appended(narrowed, [`Listen localhost:${port}`]);
      }),
      { checks: [command('/usr/sbin/cupsd', '-t')], cautions: [noRemote] },
    ),
};

/**
 * Its socket is on every address, also with `allow-interfaces=lo` (avahi#889). Programs of this host ask it over D-Bus and
 * a socket by path, so it is given a network of its own, of which lo is all.
 */
export const avahi: Knob = {
  service: 'Avahi',
  files: ['/etc/avahi/avahi-daemon.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      [
        dropIn('/etc/systemd/system/avahi-daemon.service.d/zz-holdfast-local.conf', [
          '[Service]',
          'PrivateNetwork=yes',
        ]),
        ...editsOf(facts.files, /^/, (text) =>
          commentedOut(text, /^\s*(?:allow|deny)-interfaces\s*=/).replace(
            /^\s*\[server\].*$/m,
            (head) => `${head}\nallow-interfaces=lo`,
          ),
        ),
      ],
      {
        checks: [command('systemd-analyze', '--man=no', 'verify', 'avahi-daemon.service')],
        apply: [
          ['systemctl', 'daemon-reload'],
          ['systemctl', 'restart', 'avahi-daemon.service'],
        ],
        closes: 'all',
        cautions: [
          'what other hosts offer is not found any more, and what this host offers is found here alone',
        ],
      },
    ),
};

const samba4 = [
  ['interfaces', 'lo'],
  ['bind interfaces only', 'yes'],
  ['disable netbios', 'yes'],
] as const;

/** The NetBIOS ports go with NetBIOS. nmbd has nothing to do then, and its unit says so. */
export const samba: Knob = {
  service: 'Samba',
  files: ['/etc/samba/smb.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /smb\.conf$/, (text) => {
        const bare = commentedOut(text, /^\s*(?:interfaces|bind interfaces only|disable netbios)\s*=/i, ';');
        const lines = samba4.map(([name, value]) => `   ${name} = ${value}`).join('\n');
        return bare.replace(/^\s*\[global\].*$/im, (head) => `${head}\n${lines}`);
      }),
      {
        checks: [command('testparm', '--suppress-prompt')],
        apply: [['systemctl', 'restart', 'smbd.service', 'nmbd.service']],
        closes: ['udp 137', 'udp 138', 'tcp 139'],
      },
    ),
};

export const snmpd: Knob = {
  service: 'SNMP',
  files: ['/etc/snmp/snmpd.conf', '/etc/snmp/snmpd.conf.d/*.conf'],
  turn: (facts) => {
    const port = portsOf(facts)[0] ?? 161;
    return turnOf(
      facts,
      editsOf(facts.files, /^/, (text, path) =>
        path === '/etc/snmp/snmpd.conf'
          ? withDirective(text, /^\s*agentaddress\s/i, `agentaddress udp:127.0.0.1:${port}`)
          : commentedOut(text, /^\s*agentaddress\s/i),
      ),
      {
        checks: [trial('/usr/sbin/snmpd', '-f', '-LE', '3', '-u', 'Debian-snmp', '-g', 'Debian-snmp')],
        cautions: [
          'whoever polls it from another host will not be answered: a firewall may be the right step',
        ],
      },
    );
  },
};

const senders =
  'hosts that send their logs here are seen by no connection: look for their names in the logs first';

/** `input(type="imudp" …)` in any of its writings, and the directives from before there was input(). */
export const rsyslog: Knob = {
  service: 'rsyslog',
  files: ['/etc/rsyslog.conf', '/etc/rsyslog.d/*.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /^/, (text) =>
        mapLines(
          text.replaceAll(
            /^([^#\n]*\binput\s*\(\s*type\s*=\s*"im(?:udp|tcp|relp|ptcp)")([^)]*)\)/gm,
            (_, before: string, rest: string) =>
              `${before} address="127.0.0.1"${rest.replace(/\s+address\s*=\s*"[^"]*"/, '')})`,
          ),
          (line) => {
            const [, kind, port] = /^\s*\$(UDP|InputTCP)ServerRun\s+(\d+)/.exec(line) ?? [];
            if (kind === undefined || port === undefined) return line;
            return `input(type="${kind === 'UDP' ? 'imudp' : 'imtcp'}" address="127.0.0.1" port="${port}")`;
          },
        ),
      ),
      { checks: [command('rsyslogd', '-N1')], cautions: [senders] },
    ),
};

const driver = /\b(network|syslog|udp6?|tcp6?)\s*\(/g;

/** The network drivers of each `source { … };`, whose text is given. */
const localDrivers = (source: string): string =>
  source
    .replaceAll(/\b(?:ip|localip)\s*\(\s*"?[^")]*"?\s*\)\s*/g, '')
    .replaceAll(
      driver,
      (whole, name: string) => `${whole}ip("${name.endsWith('6') ? '::1' : '127.0.0.1'}") `,
    );

export const syslogNg: Knob = {
  service: 'syslog-ng',
  files: ['/etc/syslog-ng/syslog-ng.conf', '/etc/syslog-ng/conf.d/*.conf'],
  turn: (facts) =>
    turnOf(
      facts,
      editsOf(facts.files, /^/, (text) =>
        text.replaceAll(/^\s*source\s+[\w-]+\s*\{[^}]*\}/gm, (source) =>
          new RegExp(driver.source).test(source) ? localDrivers(source) : source,
        ),
      ),
      { checks: [command('syslog-ng', '--syntax-only')], cautions: [senders] },
    ),
};

/**
 * NFS over loopback serves nobody but this host. Versions 2 and 3 bring mountd's and rpcbind's ports along: with both off,
 * mountd opens none, and the kernel needs no statd. statd itself binds every address (`name` in nfs.conf is only where it
 * sends from, as tried with 2.6.2).
 */
export const nfs: Knob = {
  service: 'NFS server',
  files: [],
  turn: ({ unit }) =>
    unit === 'rpc-statd.service'
      ? {
          why: 'rpc.statd listens on every address, whatever nfs.conf says',
          remedy:
            'NFSv4 does not need it: do not run it (--step stop), or let in only whom it serves (--step firewall)',
        }
      : turnOf(
          { unit: 'nfs-server.service' },
          [
            dropIn('/etc/nfs.conf.d/zz-holdfast-local.conf', [
              '[nfsd]',
              'host=127.0.0.1',
              'vers2=n',
              'vers3=n',
            ]),
          ],
          {
            checks: [command('nfsconf', '--dump')],
            effective: { argv: ['nfsconf', '--get', 'nfsd', 'host'], value: (printed) => printed.trim() },
            ...(unit === 'nfs-mountd.service' ? { closes: 'all' as const } : {}),
            cautions: ['hosts that mount from here lose it, and so does who mounts with version 3 or older'],
          },
        ),
};
