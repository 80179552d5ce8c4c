import { lines, type Snippet, type Target } from './snippet.ts';

/** Kept on disk while Holdfast is away, for ever tried again: an action that gives up drops what it has. */
export const queue = (name: string): string =>
  `queue.type="LinkedList" queue.filename="${name}" queue.maxDiskSpace="1g" queue.saveOnShutdown="on" action.resumeRetryCount="-1"`;

const omfwd = ({ host, port }: Target, rest: string): string =>
  `*.* action(type="omfwd" target="${host}" port="${port}" ${rest} template="RSYSLOG_SyslogProtocol23Format"`;

const omrelp = ({ host, port }: Target, rest: string): string[] => [
  'module(load="omrelp")',
  `*.* action(type="omrelp" target="${host}" port="${port}" ${rest}template="RSYSLOG_SyslogProtocol23Format"`,
  `  ${queue('holdfast')})`,
];

export const rsyslog: Snippet = {
  name: 'rsyslog',
  title: 'rsyslog',
  file: '/etc/rsyslog.d/90-holdfast.conf',
  activate: 'systemctl restart rsyslog',
  packages: ['rsyslog', 'rsyslog-gnutls', 'rsyslog-relp'],
  ways: {
    relp: {
      kind: 'relp',
      promise: 'each line is acknowledged after it is on Holdfast’s disk; an outage loses nothing',
      write: (target) => lines(...omrelp(target, '')),
    },
    'relp-tls': {
      kind: 'relp-tls',
      promise: 'as relp, encrypted, and both sides show certificates',
      write: (target) =>
        lines(
          ...omrelp(
            target,
            `tls="on" tls.caCert="${target.files}/authority.crt" tls.myCert="${target.files}/client.crt" ` +
              `tls.myPrivKey="${target.files}/client.key" tls.authMode="name" tls.permittedPeer=["${target.host}"] `,
          ),
        ),
    },
    tls: {
      kind: 'syslog-tls',
      promise:
        'encrypted, and both sides show certificates; what is on its way when a connection breaks is lost',
      write: (target) =>
        lines(
          `global(DefaultNetstreamDriverCAFile="${target.files}/authority.crt"`,
          `  DefaultNetstreamDriverCertFile="${target.files}/client.crt"`,
          `  DefaultNetstreamDriverKeyFile="${target.files}/client.key")`,
          omfwd(target, 'protocol="tcp" TCP_Framing="octet-counted"'),
          `  StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="${target.host}"`,
          `  ${queue('holdfast')})`,
        ),
    },
    tcp: {
      kind: 'syslog-tcp',
      promise: 'plain syslog over TCP: what is on its way when a connection breaks is lost',
      write: (target) =>
        lines(omfwd(target, 'protocol="tcp" TCP_Framing="octet-counted"'), `  ${queue('holdfast')})`),
    },
    udp: {
      kind: 'syslog-udp',
      promise: 'what the network or a full buffer drops is lost; Holdfast counts what its own kernel drops',
      write: (target) => lines(`${omfwd(target, 'protocol="udp"')})`),
    },
  },
};
