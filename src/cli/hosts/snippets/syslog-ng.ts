import { lines, type Snippet, type Target, type Way } from './snippet.ts';

/** A reliable buffer writes each message to disk before it is sent. Version 4 renamed the option, and knows this name too. */
const buffer = 'disk-buffer(reliable(yes) disk-buf-size(1073741824) dir("/var/lib/syslog-ng"))';

const through = (destination: readonly string[]): string =>
  lines(
    'destination d_holdfast {',
    ...destination.map((line) => `  ${line}`),
    '};',
    'log { source(s_src); destination(d_holdfast); flags(flow-control); };',
  );

const tls = ({ files }: Target): string =>
  `tls(ca-file("${files}/authority.crt") cert-file("${files}/client.crt") key-file("${files}/client.key") peer-verify(required-trusted))`;

const plain: Pick<Way, 'promise'> = {
  promise:
    'plain syslog: what is on its way when a connection breaks is lost; the disk buffer keeps the rest',
};

export const syslogNg: Snippet = {
  name: 'syslog-ng',
  title: 'syslog-ng',
  file: '/etc/syslog-ng/conf.d/90-holdfast.conf',
  activate: 'syslog-ng-ctl reload',
  packages: ['syslog-ng-core'],
  ways: {
    tls: {
      kind: 'syslog-tls',
      promise: 'encrypted, both sides show certificates; the disk buffer keeps lines while Holdfast is away',
      write: (target) =>
        through([
          `syslog("${target.host}" port(${target.port}) transport("tls")`,
          `  ${tls(target)}`,
          `  ${buffer});`,
        ]),
    },
    tcp: {
      kind: 'syslog-tcp',
      ...plain,
      write: ({ host, port }) =>
        through([`syslog("${host}" port(${port}) transport("tcp")`, `  ${buffer});`]),
    },
    udp: {
      kind: 'syslog-udp',
      promise: 'what the network or a full buffer drops is lost; Holdfast counts what its own kernel drops',
      write: ({ host, port }) => through([`syslog("${host}" port(${port}) transport("udp"));`]),
    },
    network: {
      kind: 'syslog-tcp',
      ...plain,
      write: ({ host, port }) =>
        through([`network("${host}" port(${port}) transport("tcp")`, `  ${buffer});`]),
    },
  },
};
