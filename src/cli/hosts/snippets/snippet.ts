/** Where a sender is to send, and what it shows there. */
export type Target = {
  host: string;
  port: number;
  /** Directory, on the sender, of `authority.crt`, `client.crt` and `client.key` (PEM). */
  files: string;
};

/** What a listener of Holdfast's must be for a transport: `--listen KIND=…`. */
export type Kind =
  | 'syslog-udp'
  | 'syslog-tcp'
  | 'syslog-tls'
  | 'relp'
  | 'relp-tls'
  | 'http'
  | 'https'
  | 'gelf-udp'
  | 'gelf-tcp'
  | 'agent';

/** One way in which a program sends. */
export type Way = {
  kind: Kind;
  /** What is lost when, and who is told, in one sentence. */
  promise: string;
  /** What to write into `file`, or the command to run. */
  write(target: Target): string;
};

/** How one program is pointed at Holdfast. The tests run the program with exactly this. */
export type Snippet = {
  /** As in `holdfast hosts snippet NAME`. */
  name: string;
  title: string;
  /** Where it goes on the sender; `null`: it is a command. */
  file: string | null;
  /** What makes it take effect; `null`: nothing. */
  activate: string | null;
  /** Debian packages that it takes. */
  packages: readonly string[];
  /** By the word after `--transport`; the first is the one to use where there is a choice. */
  ways: Readonly<Record<string, Way>>;
};

/** The usual port of each kind of listener. */
export const usualPort: Readonly<Record<Kind, number>> = {
  'syslog-udp': 5514,
  'syslog-tcp': 5514,
  'syslog-tls': 6514,
  relp: 2514,
  'relp-tls': 6515,
  http: 8514,
  https: 8515,
  'gelf-udp': 12201,
  'gelf-tcp': 12201,
  agent: 6516,
};

/** An IPv6 address in a URL or `HOST:PORT` goes in brackets. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

export const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;
