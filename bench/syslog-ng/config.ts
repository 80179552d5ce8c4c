/**
 * - `plain`: flow control, so that nothing is lost, and otherwise what syslog-ng does unless it is told more.
 * - `tuned`: also the larger windows and fetches that its manual advises for a high rate over few connections.
 */
export type Tuning = 'plain' | 'tuned';

const sourceOf = {
  plain: '',
  tuned: ' log-iw-size(100000) log-fetch-limit(1000)',
} as const satisfies Record<Tuning, string>;

/** Syslog over TCP on loopback, newline framing, no TLS. */
export const tcpSource = (port: number, tuning: Tuning): string =>
  `network(ip("127.0.0.1") port(${port}) transport("tcp") flags(syslog-protocol) max-connections(10)${sourceOf[tuning]})`;

/** Syslog over UDP on loopback. @param receiveBuffer SO_RCVBUF in bytes */
export const udpSource = (port: number, receiveBuffer: number, tuning: Tuning): string =>
  `network(ip("127.0.0.1") port(${port}) transport("udp") flags(syslog-protocol) so-rcvbuf(${receiveBuffer})${sourceOf[tuning]})`;

/**
 * A file per host and program below `out`. The template writes each line of the corpus back byte for byte, so that what
 * it keeps can be compared with what was sent.
 */
export const syslogNgConfig = (source: string, out: string, tuning: Tuning): string => `@version: 3.38
options {
  create-dirs(yes); dir-perm(0700); perm(0600);
  keep-hostname(yes); chain-hostnames(no); use-dns(no); dns-cache(no); stats-freq(0);
};
source senders { ${source}; };
template as-sent { template("<\${PRI}>1 \${ISODATE} \${HOST} \${PROGRAM} \${PID:--} \${MSGID:--} \${SDATA:--} \${MSG}\\n"); };
destination files {
  file("${out}/\${HOST}/\${PROGRAM}.log" template(as-sent) frac-digits(6)${
    tuning === 'tuned' ? ' log-fifo-size(200000)' : ''
  });
};
log { source(senders); destination(files); flags(flow-control); };
`;
