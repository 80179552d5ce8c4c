/**
 * - `plain`: flow control, so that nothing is lost, and otherwise what syslog-ng does unless it is told more.
 * - `tuned`: also the larger windows and fetches that its manual advises for a high rate over few connections.
 */
export type Tuning = 'plain' | 'tuned';

/**
 * Syslog over TCP on loopback, newline framing, no TLS; a file per host and program below `out`. The template writes
 * each line of the corpus back byte for byte, so that what it keeps can be compared with what was sent.
 */
export const syslogNgConfig = (port: number, out: string, tuning: Tuning): string => `@version: 3.38
options {
  create-dirs(yes); dir-perm(0700); perm(0600);
  keep-hostname(yes); chain-hostnames(no); use-dns(no); dns-cache(no); stats-freq(0);
};
source senders {
  network(ip("127.0.0.1") port(${port}) transport("tcp") flags(syslog-protocol) max-connections(10)${
    tuning === 'tuned' ? ' log-iw-size(100000) log-fetch-limit(1000)' : ''
  });
};
template as-sent { template("<\${PRI}>1 \${ISODATE} \${HOST} \${PROGRAM} \${PID:--} \${MSGID:--} \${SDATA:--} \${MSG}\\n"); };
destination files {
  file("${out}/\${HOST}/\${PROGRAM}.log" template(as-sent) frac-digits(6)${
    tuning === 'tuned' ? ' log-fifo-size(200000)' : ''
  });
};
log { source(senders); destination(files); flags(flow-control); };
`;
