/** Where a shipper sends log lines. */
export type Destination = {
  /** `udp`, `tcp`, `relp`, `https`, … */
  protocol: string;
  /** `logs.example.org:514`, or a URL. */
  target: string;
  /** Encrypted, as far as the configuration tells; `null` = it does not tell. */
  tls: boolean | null;
  /** What is sent there (`*.*`); `null` where the configuration states it in another way, or sends everything. */
  selector: string | null;
  /** Another host than this one. */
  leavesHost: boolean;
  file: string;
};

const loopback = /^(?:localhost|ip6-localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/i;

export const destination = (parts: {
  protocol: string;
  host: string;
  port: string | null;
  tls: boolean | null;
  selector: string | null;
  file: string;
}): Destination => ({
  protocol: parts.protocol,
  target: parts.port === null ? parts.host : `${bracketed(parts.host)}:${parts.port}`,
  tls: parts.tls,
  selector: parts.selector,
  leavesHost: !loopback.test(parts.host),
  file: parts.file,
});

const bracketed = (host: string): string =>
  host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
