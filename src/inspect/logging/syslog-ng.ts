import { globSync } from 'node:fs';
import { textOf } from '../host.ts';
import { destination } from './destination.ts';
import { merge, type SyslogConfig } from './rsyslog.ts';

/** Reads a configuration of syslog-ng with the files that it includes by path; `null` where there is none. */
export const readSyslogNg = (
  root: string,
  configured = '/etc/syslog-ng/syslog-ng.conf',
): SyslogConfig | null => {
  const main = `${root}${configured}`;
  const text = textOf(main);
  if (text === null) return null;
  const parts = [{ text, file: main }];
  for (const [, pattern = ''] of text.matchAll(/^\s*@include\s+"([^"]+)"/gm)) {
    const path = pattern.startsWith('/') ? `${root}${pattern}` : `${root}/etc/syslog-ng/${pattern}`;
    for (const file of globSync(path).toSorted()) parts.push({ text: textOf(file) ?? '', file });
  }
  const used = new Set(parts.flatMap((part) => usedDestinations(part.text)));
  return merge(parts.map((part) => parseSyslogNg(part.text, part.file, used)));
};

const uncommented = (text: string): string => text.replace(/^\s*#.*$/gm, '').replace(/\s#[^"\n]*$/gm, '');

/** Names of destinations that a log path refers to; a destination that none refers to receives nothing. */
export const usedDestinations = (text: string): string[] =>
  blocks(uncommented(text), 'log').flatMap(({ body }) =>
    [...body.matchAll(/\bdestination\s*\(\s*"?([\w.-]+)"?\s*\)/g)].map((match) => match[1] ?? ''),
  );

const driver = /\b(network|syslog|tcp6?|udp6?|http|elasticsearch-http|loki|file|wildcard-file)\s*\(/g;

/** Parses one file: the drivers of the destinations in use, and the files that sources read. */
export const parseSyslogNg = (text: string, file: string, used: ReadonlySet<string>): SyslogConfig => {
  const body = uncommented(text);
  const config: SyslogConfig = { destinations: [], reads: [], writes: [] };
  const inline = blocks(body, 'log').flatMap((log) => blocks(log.body, 'destination'));
  const named = blocks(body, 'destination').filter(({ name }) => used.has(name));
  for (const block of [...named, ...inline.filter(({ name }) => name === '')]) {
    for (const { kind, inside } of drivers(block.body)) {
      const target = /^\s*"?([^"\s()]+)"?/.exec(inside)?.[1] ?? '';
      const option = (name: string): string | null =>
        new RegExp(`\\b${name}\\s*\\(\\s*"?([^"\\s()]+)"?`).exec(inside)?.[1] ?? null;
      if (kind === 'file') config.writes.push(target);
      else if (kind === 'http' || kind === 'elasticsearch-http' || kind === 'loki') {
        const url = option('url') ?? target;
        const host = /^\w+:\/\/(\[[^\]]+\]|[^/:]+)/.exec(url)?.[1] ?? url;
        config.destinations.push({
          ...destination({
            protocol: kind,
            host,
            port: null,
            tls: url.startsWith('https:'),
            selector: null,
            file,
          }),
          target: url,
        });
      } else {
        const transport = option('transport') ?? (kind.startsWith('udp') ? 'udp' : 'tcp');
        const port = option('port') ?? (kind === 'syslog' ? '601' : '514');
        config.destinations.push(
          destination({
            protocol: transport,
            host: target,
            port,
            tls: transport === 'tls' || /\btls\s*\(/.test(inside),
            selector: null,
            file,
          }),
        );
      }
    }
  }
  for (const block of blocks(body, 'source')) {
    for (const { kind, inside } of drivers(block.body)) {
      if (kind === 'file') config.reads.push(/^\s*"?([^"\s()]+)"?/.exec(inside)?.[1] ?? '');
      if (kind === 'wildcard-file') {
        const directory = /\bbase-dir\s*\(\s*"([^"]+)"/.exec(inside)?.[1] ?? '';
        const pattern = /\bfilename-pattern\s*\(\s*"([^"]+)"/.exec(inside)?.[1] ?? '*';
        config.reads.push(
          `${directory.replace(/\/$/, '')}/${/\brecursive\s*\(\s*yes/.test(inside) ? '**/' : ''}${pattern}`,
        );
      }
    }
  }
  return config;
};

const drivers = (body: string): { kind: string; inside: string }[] =>
  [...body.matchAll(driver)].map((match) => ({
    kind: match[1] ?? '',
    inside: balanced(body, match.index + match[0].length, '(', ')'),
  }));

/** `KEYWORD NAME { … }` statements, with their bodies. */
const blocks = (text: string, keyword: string): { name: string; body: string }[] =>
  [...text.matchAll(new RegExp(`(?:^|[\\s;{}])${keyword}\\s+?([\\w.-]*)\\s*\\{`, 'g'))].map((match) => ({
    name: match[1] ?? '',
    body: balanced(text, match.index + match[0].length, '{', '}'),
  }));

/** Text from `start` to the bracket that closes what was opened just before it; quoted brackets do not count. */
const balanced = (text: string, start: number, open: string, close: string): string => {
  let depth = 1;
  let quoted = false;
  for (let i = start; i < text.length; i += 1) {
    const character = text.charAt(i);
    if (character === '"' && text.charAt(i - 1) !== '\\') quoted = !quoted;
    if (quoted) continue;
    if (character === open) depth += 1;
    if (character === close) depth -= 1;
    if (depth === 0) return text.slice(start, i);
  }
  return text.slice(start);
};
