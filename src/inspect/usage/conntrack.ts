/** What the kernel's connection tracking remembers: who sent the first packet, and where to. */
export type Tracked = {
  protocol: string;
  source: string;
  destination: string;
  port: number;
  /** Where it was sent on to by a rule. */
  answeredBy: { address: string; port: number };
};

/** Text of /proc/net/nf_conntrack: `ipv4 2 udp 17 29 src=… dst=… sport=… dport=… src=… dst=… sport=… dport=… …`. */
export const parseConntrack = (text: string): Tracked[] =>
  [
    ...text.matchAll(
      /^ipv[46] +\d+ (\w+) .*?src=(\S+) dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+) dport=\d+/gm,
    ),
  ].map(([, protocol = '', source = '', destination = '', port, by = '', byPort]) => ({
    protocol,
    source,
    destination,
    port: Number(port),
    answeredBy: { address: by, port: Number(byPort) },
  }));
