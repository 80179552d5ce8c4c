import { globSync } from 'node:fs';
import { textOf } from '../host.ts';
import type { Destination } from './destination.ts';
import { destination } from './destination.ts';

/** What a configuration of rsyslog makes of log lines. */
export type SyslogConfig = {
  destinations: Destination[];
  /** Files and patterns that are read as input, and so sent on. */
  reads: string[];
  /** Files that lines are written to on this host. */
  writes: string[];
};

/** Reads a configuration of rsyslog with everything it includes; `null` where there is none. */
export const readRsyslog = (root: string, path = '/etc/rsyslog.conf'): SyslogConfig | null => {
  const main = `${root}${path}`;
  const text = textOf(main);
  if (text === null) return null;
  return merge([parseRsyslog(text, main), ...includes(text).flatMap((pattern) => expand(root, pattern))]);
};

const expand = (root: string, pattern: string): SyslogConfig[] =>
  globSync(`${root}${pattern}`)
    .toSorted()
    .map((path) => parseRsyslog(textOf(path) ?? '', path));

const includes = (text: string): string[] => [
  ...[...text.matchAll(/^\s*\$IncludeConfig\s+(\S+)/gim)].map((match) => match[1] ?? ''),
  ...[...uncommented(text).matchAll(/\binclude\s*\(\s*file\s*=\s*"([^"]+)"/gi)].map(
    (match) => match[1] ?? '',
  ),
];

export const merge = (configs: readonly SyslogConfig[]): SyslogConfig => ({
  destinations: configs.flatMap((config) => config.destinations),
  reads: configs.flatMap((config) => config.reads),
  writes: configs.flatMap((config) => config.writes),
});

const uncommented = (text: string): string => text.replace(/^\s*#.*$/gm, '').replace(/\s#[^"\n]*$/gm, '');

/** `selector @host`, `@@host:port`, `@@(o)[2001:db8::1]:514;Template` (rsyslog's sysklogd format). */
const legacyForward =
  /^[ \t]*(\S.*?)[ \t]+(@@?)(?:\([^)\n]*\))?(\[[^\]\n]+\]|[^\s:;@()[\]]+)(?::(\d+))?(?:;\S+)?[ \t]*$/gm;
const legacyRelp = /^[ \t]*(\S.*?)[ \t]+:omrelp:(\[[^\]\n]+\]|[^\s:;]+)(?::(\d+))?/gm;
const legacyFile = /^[ \t]*\S+\.\S+[ \t]+-?(\/[^\s;]+)/gm;
const statement = /^(.*?)\b(action|input)\s*\(((?:[^()"]|"(?:[^"\\]|\\.)*")*)\)/gims;
const parameter = /([A-Za-z.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|\[([^\]]*)\])/g;

/** Parses one file, in both of rsyslog's formats: sysklogd's lines with `$` directives, and RainerScript. */
export const parseRsyslog = (text: string, file: string): SyslogConfig => {
  const body = uncommented(text);
  const config: SyslogConfig = { destinations: [], reads: [], writes: [] };
  const legacyTls = /^\s*\$ActionSendStreamDriverMode\s+1\b/im.test(body);
  for (const [, selector = '', at, host = '', port] of body.matchAll(legacyForward)) {
    const protocol = at === '@@' ? 'tcp' : 'udp';
    config.destinations.push(
      destination({
        protocol,
        host,
        port: port ?? '514',
        tls: protocol === 'tcp' && legacyTls,
        selector,
        file,
      }),
    );
  }
  for (const [, selector = '', host = '', port] of body.matchAll(legacyRelp)) {
    config.destinations.push(
      destination({ protocol: 'relp', host, port: port ?? '20514', tls: false, selector, file }),
    );
  }
  for (const [, path = ''] of body.matchAll(legacyFile)) config.writes.push(path);
  for (const [, path = ''] of body.matchAll(/^\s*\$InputFileName\s+(\S+)/gim)) config.reads.push(path);
  for (const [, before = '', verb = '', inside = ''] of body.matchAll(statement)) {
    const values = new Map<string, string[]>();
    for (const [, key = '', text1, list] of inside.matchAll(parameter)) {
      values.set(
        key.toLowerCase(),
        list === undefined ? [text1 ?? ''] : [...list.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? ''),
      );
    }
    const first = (key: string): string | null => values.get(key)?.[0] ?? null;
    const type = first('type')?.toLowerCase();
    if (verb.toLowerCase() === 'input') {
      if (type === 'imfile') config.reads.push(...(values.get('file') ?? []));
      continue;
    }
    if (type === 'omfile') config.writes.push(...(values.get('file') ?? []));
    if (type !== 'omfwd' && type !== 'omrelp') continue;
    const selector = before.split('\n').at(-1)?.trim() ?? '';
    const tls = first('tls') === 'on' || first('streamdrivermode') === '1';
    const protocol = type === 'omrelp' ? 'relp' : (first('protocol')?.toLowerCase() ?? 'udp');
    for (const host of values.get('target') ?? []) {
      const port = first('port') ?? (type === 'omrelp' ? '20514' : '514');
      config.destinations.push(
        destination({ protocol, host, port, tls, selector: selector === '' ? null : selector, file }),
      );
    }
  }
  return config;
};
