/** What `holdfast up` does unless it is told otherwise: it listens on loopback alone. */
export const defaults = {
  listen: ['syslog-tcp=127.0.0.1:5514', 'syslog-udp=127.0.0.1:5514'],
  console: '127.0.0.1:8600',
  /** MiB. */
  indexMemory: 1024,
} as const;
