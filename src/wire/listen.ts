import { z } from 'zod';

/** What the receiver can listen as. */
export const listenerKinds = [
  'syslog-tcp',
  'syslog-udp',
  'syslog-tls',
  'agent',
  'relp',
  'relp-tls',
  'http',
  'https',
  'gelf-tcp',
  'gelf-udp',
] as const;
export type ListenerKind = (typeof listenerKinds)[number];

/** Kinds that speak TLS, and so need a certificate of the server's. */
export const speaksTls = (kind: ListenerKind): boolean =>
  kind.endsWith('-tls') || kind === 'agent' || kind === 'https';

/** The name of a kind in `run/ready.json`: `syslog-tcp` is `syslogTcp`. */
export const readyName = (kind: ListenerKind): string =>
  kind.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** Where to listen for strangers. Port 0 is any free one; IPv6 literals may stand in brackets. */
export const listenOn = z.strictObject({
  kind: z.enum(listenerKinds),
  host: z.string().min(1),
  port: z.int().min(0).max(65_535),
});
export type ListenOn = z.infer<typeof listenOn>;

/** Files (PEM) by which a TLS listener shows who it is, and tells who may speak. They are read again when they change. */
export const tlsFiles = z.strictObject({
  certificate: z.string().min(1),
  key: z.string().min(1),
  /** Who issues the certificates of senders. */
  authority: z.string().min(1),
  /** Serial numbers (hexadecimal, one a line) of certificates that are good no more; the file may be missing. */
  revoked: z.string().min(1),
});
export type TlsFiles = z.infer<typeof tlsFiles>;

/** Who may speak to listeners beyond this machine. Loopback always may. */
export const allowed = z.strictObject({
  /** Addresses and networks, `192.0.2.0/24`. They may speak without a certificate, where the listener takes that. */
  networks: z.array(z.string().min(1)),
  /** Names in certificates, `*` standing for any characters; empty: every name that the authority has certified. */
  names: z.array(z.string().min(1)),
  /** Whether a sender over TLS must show a certificate; `optional`: one in `networks` need not. */
  certificates: z.enum(['required', 'optional']),
});
export type Allowed = z.infer<typeof allowed>;

/** Loopback alone, and whoever has a certificate. */
export const allowedByDefault: Allowed = { networks: [], names: [], certificates: 'required' };

/** What one sender, known by its address, may take of what all share; what is left out is as in src/receive/index.ts. */
export const senderLimits = z.strictObject({
  /** Connections at a time. Default: half of what the receiver takes in all. */
  connections: z.int().min(1).optional(),
  /** New connections a second; four seconds' worth at once. */
  connects: z.int().min(1).optional(),
  /** Datagrams a second; a second's worth at once. Default: no limit. */
  datagrams: z.int().min(1).optional(),
});
export type SenderLimits = z.infer<typeof senderLimits>;
