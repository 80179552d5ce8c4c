import { globSync } from 'node:fs';
import { matchesGlob } from 'node:path';
import { textOf } from '../host.ts';
import { destination, type Destination } from './destination.ts';
import { readRsyslog } from './rsyslog.ts';
import { readSyslogNg } from './syslog-ng.ts';
import type { NamedProcess } from './open-files.ts';

/** A program that can take logs off a host. */
export type Shipper = {
  name: string;
  /** `null` = configured, and not running. */
  pid: number | null;
  destinations: Destination[];
  /** Files and patterns that it reads. */
  reads: string[];
  /** Files that it writes on this host; what it forwards in full is in them too. */
  writes: string[];
  /** Configuration that was read. */
  files: string[];
};

/** Programs whose configuration is read for paths and addresses alone, whatever its syntax. */
const known: { name: string; process: RegExp; config: string[] }[] = [
  {
    name: 'promtail',
    process: /^promtail/,
    config: ['/etc/promtail/*.{yml,yaml}', '/etc/promtail/config.*'],
  },
  { name: 'alloy', process: /^alloy$/, config: ['/etc/alloy/*.alloy'] },
  {
    name: 'fluent-bit',
    process: /^fluent-bit$/,
    config: ['/etc/fluent-bit/*.{conf,yaml,yml}', '/etc/td-agent-bit/*.conf'],
  },
  {
    name: 'fluentd',
    process: /^(?:fluentd|td-agent)$/,
    config: ['/etc/fluent/*.conf', '/etc/td-agent/*.conf'],
  },
  { name: 'vector', process: /^vector$/, config: ['/etc/vector/*.{toml,yaml,yml,json}'] },
  {
    name: 'filebeat',
    process: /^filebeat$/,
    config: ['/etc/filebeat/filebeat.yml', '/etc/filebeat/inputs.d/*.yml'],
  },
  { name: 'otel collector', process: /^otelcol/, config: ['/etc/otelcol*/*.yaml'] },
  {
    name: 'telegraf',
    process: /^telegraf$/,
    config: ['/etc/telegraf/telegraf.conf', '/etc/telegraf/telegraf.d/*.conf'],
  },
  {
    name: 'splunk',
    process: /^splunkd$/,
    config: ['/opt/splunkforwarder/etc/system/local/{in,out}puts.conf'],
  },
  { name: 'nxlog', process: /^nxlog$/, config: ['/etc/nxlog/*.conf', '/etc/nxlog.conf'] },
  {
    name: 'amazon-cloudwatch-agent',
    process: /^amazon-cloudwatch-agent$/,
    config: ['/opt/aws/amazon-cloudwatch-agent/etc/*.json'],
  },
  {
    name: 'systemd-journal-upload',
    process: /^systemd-journal-upload$/,
    config: ['/etc/systemd/journal-upload.conf', '/etc/systemd/journal-upload.conf.d/*.conf'],
  },
];

const syslogDaemons: { name: string; process: RegExp; read: typeof readRsyslog }[] = [
  { name: 'rsyslog', process: /^rsyslogd$/, read: readRsyslog },
  { name: 'syslog-ng', process: /^syslog-ng$/, read: readSyslogNg },
];

/** `-f FILE` or `-fFILE` of a command line: both daemons take their configuration so. */
const optionOf = (argv: readonly string[], flag: string): string | undefined => {
  const at = argv.findIndex((argument) => argument.startsWith(flag));
  if (at < 0) return undefined;
  return argv[at] === flag ? argv[at + 1] : argv[at]?.slice(flag.length);
};

/** Shippers that run, and syslog daemons that are configured to forward whether they run or not. */
export const findShippers = (root: string, processes: readonly NamedProcess[]): Shipper[] => {
  const shippers: Shipper[] = [];
  const pidOf = (pattern: RegExp): number | null =>
    processes.find(
      ({ name, script }) =>
        pattern.test(name) || (script !== null && pattern.test(script.split('/').at(-1) ?? '')),
    )?.pid ?? null;
  for (const { name, process, read } of syslogDaemons) {
    const instances = processes.filter((each) => process.test(each.name));
    for (const instance of instances.length > 0 ? instances : [null]) {
      const config = read(root, optionOf(instance?.arguments ?? [], '-f'));
      if (config === null || (instance === null && config.destinations.length === 0)) continue;
      const files = [...new Set(config.destinations.map(({ file }) => file))];
      shippers.push({ name, pid: instance?.pid ?? null, ...config, files });
    }
  }
  for (const { name, process, config } of known) {
    const pid = pidOf(process);
    if (pid === null) continue;
    const running = processes.find((each) => each.pid === pid);
    const named = (running?.arguments ?? []).flatMap(
      (argument) => /(?:^|=)(\/\S+\.(?:ya?ml|toml|conf|json|alloy))$/.exec(argument)?.[1] ?? [],
    );
    const files = [...new Set([...config.flatMap((pattern) => globSync(root + pattern)), ...named])];
    const parsed = files.map((file) => ({ file, text: textOf(file) ?? '' }));
    shippers.push({
      name,
      pid,
      destinations: parsed.flatMap(({ file, text }) => addressesIn(text, file)),
      reads: [...new Set(parsed.flatMap(({ text }) => pathsIn(text)))],
      writes: [],
      files,
    });
  }
  return shippers;
};

const uncommented = (text: string): string => text.replace(/^\s*(?:#|\/\/|;).*$/gm, '');

/** Absolute paths and glob patterns, wherever they stand in a configuration. */
export const pathsIn = (text: string): string[] =>
  [...uncommented(text).matchAll(/(?<![\w./:*-])(\/(?:[\w.@%+*?{},-]+\/)*[\w.@%+*?{},-]+)/g)].map(
    (match) => match[1] ?? '',
  );

/** URLs, and the values of keys that name hosts. */
export const addressesIn = (text: string, file: string): Destination[] => {
  const body = uncommented(text);
  const urls = [...body.matchAll(/\b(https?|tcp|udp|tls|grpc):\/\/(\[[^\]\s]+\]|[\w.-]+)(?::(\d+))?/g)].map(
    ([, scheme = '', host = '', port]) =>
      destination({
        protocol: scheme,
        host,
        port: port ?? null,
        tls: scheme === 'https' || scheme === 'tls',
        selector: null,
        file,
      }),
  );
  const hosts = [
    ...body.matchAll(
      /^\s*(?:-\s*)?(?:hosts?|address|endpoint|server|URL)\b["']?\s*[:= ]\s*\[?\s*["']?([\w.-]+\.[\w.-]+|localhost)(?::(\d+))?["'\],\s]/gim,
    ),
  ].map(([, host = '', port]) =>
    destination({ protocol: 'tcp', host, port: port ?? null, tls: null, selector: null, file }),
  );
  return [...urls, ...hosts].filter((each) => !each.target.startsWith('0.0.0.0'));
};

/** Whether a pattern of a shipper's configuration takes in a file. A directory takes in what lies in it. */
export const takesIn = (pattern: string, path: string): boolean =>
  pattern === path || (/[*?{[]/.test(pattern) ? matchesGlob(path, pattern) : false);
