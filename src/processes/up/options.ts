import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import { messageOf } from '#base/errors';
import { defaults } from './defaults.ts';
import { UpError } from './errors.ts';

/** What the receiver can listen as, for now. */
export const listenerKinds = ['syslog-tcp', 'syslog-udp'] as const;

export const listenAddress = z.object({
  kind: z.enum(listenerKinds),
  host: z.string(),
  port: z.int().min(0).max(65_535),
});
export type ListenAddress = z.infer<typeof listenAddress>;

/** Every key of the configuration file; each has its flag of the same name. */
export const upFile = z.strictObject({
  /** `KIND=HOST:PORT`, e.g. `syslog-tcp=127.0.0.1:5514` */
  listen: z.array(z.string()).optional(),
  /** `HOST:PORT` */
  console: z.string().optional(),
  /** false = no local agent (`--no-agent`) */
  agent: z.boolean().optional(),
});

export type UpOptions = {
  listen: readonly ListenAddress[];
  console: { host: string; port: number };
  agent: 'on' | 'off';
};

const fail = (message: string): never => {
  throw new UpError('configuration', message);
};

/** `127.0.0.1:514`, `[::1]:514`, `localhost:514`. */
export const parseHostPort = (text: string, what: string): { host: string; port: number } => {
  const match = /^(\[[0-9a-fA-F:.%a-z]+\]|[^:[\]]+):(\d{1,5})$/.exec(text);
  const host = match?.[1]?.replace(/^\[(.*)\]$/, '$1') ?? '';
  const port = Number(match?.[2] ?? Number.NaN);
  if (match === null || port > 65_535 || (text.startsWith('[') && !isIPv6(host.split('%')[0] ?? ''))) {
    return fail(`${what}: '${text}' is not HOST:PORT (an IPv6 address goes in brackets: [::1]:5514)`);
  }
  return { host, port };
};

export const parseListen = (text: string): ListenAddress => {
  const at = text.indexOf('=');
  const kind = listenerKinds.find((name) => name === text.slice(0, at));
  if (at < 0 || kind === undefined)
    return fail(`--listen: '${text}' is not KIND=HOST:PORT with KIND one of ${listenerKinds.join(', ')}`);
  return { kind, ...parseHostPort(text.slice(at + 1), '--listen') };
};

/** What flags say, else what the file says, else the defaults. @throws UpError `configuration` */
export const readOptions = (flags: {
  listen?: readonly string[];
  console?: string;
  agent?: boolean;
  config?: string;
}): UpOptions => {
  const file = flags.config === undefined ? {} : readFile(flags.config);
  const agent = flags.agent === false ? false : (file.agent ?? true);
  return {
    listen: (flags.listen ?? file.listen ?? defaults.listen).map(parseListen),
    console: parseHostPort(flags.console ?? file.console ?? defaults.console, '--console'),
    agent: agent ? 'on' : 'off',
  };
};

const readFile = (path: string): z.infer<typeof upFile> => {
  try {
    const parsed = upFile.safeParse(parseToml(readFileSync(path, 'utf8')));
    if (parsed.success) return parsed.data;
    return fail(
      `${path}: ${parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`).join('; ')}`,
    );
  } catch (error) {
    if (error instanceof UpError) throw error;
    return fail(`could not read the configuration ${path}: ${messageOf(error)}`);
  }
};
