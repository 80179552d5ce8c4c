/** Where `holdfast up` listens unless it is told otherwise: on loopback alone. */
export const defaults = {
  listen: ['syslog-tcp=127.0.0.1:5514', 'syslog-udp=127.0.0.1:5514'],
  console: '127.0.0.1:8600',
} as const;
