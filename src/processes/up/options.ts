import { readFileSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { isAbsolute } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import { messageOf } from '#base/errors';
import { parseServerPlace, type ServerPlace } from '#index/server-place';
import type { AlertRule, NotifyTarget } from '#wire/alert';
import { listenerKinds, speaksTls, type Allowed, type ListenOn, type SenderLimits } from '#wire/listen';
import { hostPortForm, parseHostPort, type HostPort } from '../host-port.ts';
import { alertTable, ruleOf, withNewDoor } from './alert-tables.ts';
import { defaults } from './defaults.ts';
import { UpError } from './errors.ts';
import { notifyTable, targetOf } from './notify-tables.ts';
import { majority, parseWitness, type Witness } from './witness-option.ts';

/** Every key of the configuration file; each has its flag of the same name, but for alert and notify. */
export const upFile = z.strictObject({
  /** `KIND=HOST:PORT`, e.g. `syslog-tcp=127.0.0.1:5514` */
  listen: z.array(z.string()).optional(),
  /** Addresses and networks that may speak to the listeners, `192.0.2.0/24`; this machine always may. */
  allow: z.array(z.string()).optional(),
  /** Names in certificates that may speak over TLS; left out: every one that the own authority has certified. */
  'allow-name': z.array(z.string()).optional(),
  /** `required` or `optional`: whether whoever speaks TLS must show a certificate. */
  certificates: z.enum(['required', 'optional']).optional(),
  /** By which senders know this host over TLS, besides its own name and addresses. */
  'tls-name': z.array(z.string()).optional(),
  /** `NAME=N`: what one sender may take, e.g. `connections=500`. */
  limit: z.array(z.string()).optional(),
  /** `HOST:PORT` */
  console: z.string().optional(),
  /** false = no local agent (`--no-agent`) */
  agent: z.boolean().optional(),
  /** `HOST:PORT` where checkpoints, tiles and proofs are published; left out: on a unix socket alone. */
  publish: z.string().optional(),
  /** `VKEY` or `VKEY=URL` of each witness. */
  witness: z.array(z.string()).optional(),
  /** Cosignatures that make a checkpoint witnessed; left out: of more than half of the witnesses. */
  'witness-quorum': z.int().optional(),
  /** HTTP address of a time stamping authority (RFC 3161). */
  'timestamp-authority': z.string().optional(),
  /** Memory that the indexer may take, MiB. */
  'index-memory': z.int().optional(),
  /** What to be told of (docs/alerts.md). */
  alert: z.array(alertTable).optional(),
  /** Whom to tell, and how. */
  notify: z.array(notifyTable).optional(),
  /** `https://USER@HOST:8443/DATABASE?cluster=NAME`: where the index is kept; left out: in the indexer's process. */
  'index-url': z.string().optional(),
  /** A file with the password for it. */
  'index-password-file': z.string().optional(),
  /** A file with the certificates of the authorities that its servers' are from, PEM. */
  'index-ca': z.string().optional(),
});

export type UpOptions = {
  listen: readonly ListenOn[];
  allowed: Allowed;
  tlsNames: readonly string[];
  limits: SenderLimits;
  console: HostPort;
  agent: 'on' | 'off';
  publish: HostPort | null;
  witnesses: readonly Witness[];
  /** 0 where there is no witness. */
  witnessQuorum: number;
  timestampAuthority: string | null;
  /** Bytes. */
  indexMemory: number;
  alerts: readonly AlertRule[];
  notify: readonly NotifyTarget[];
  /** `null`: the index is in the indexer's own process. */
  indexServer: IndexServer | null;
};

export type IndexServer = ServerPlace & { passwordFile: string | null; caFile: string | null };

const fail = (message: string): never => {
  throw new UpError('configuration', message);
};

const hostPort = (text: string, flag: string): HostPort =>
  parseHostPort(text) ?? fail(`${flag}: '${text}' is not ${hostPortForm}`);

export const parseListen = (text: string): ListenOn => {
  const at = text.indexOf('=');
  const kind = listenerKinds.find((name) => name === text.slice(0, at));
  if (at < 0 || kind === undefined)
    return fail(`--listen: '${text}' is not KIND=HOST:PORT with KIND one of ${listenerKinds.join(', ')}`);
  return { kind, ...hostPort(text.slice(at + 1), '--listen') };
};

/** What flags say, else what the file says, else the defaults. @throws UpError `configuration` */
export const readOptions = (flags: {
  listen?: readonly string[] | undefined;
  allow?: readonly string[] | undefined;
  allowName?: readonly string[] | undefined;
  certificates?: string | undefined;
  tlsName?: readonly string[] | undefined;
  limit?: readonly string[] | undefined;
  console?: string | undefined;
  agent?: boolean | undefined;
  config?: string | undefined;
  publish?: string | undefined;
  witness?: readonly string[] | undefined;
  witnessQuorum?: string | undefined;
  timestampAuthority?: string | undefined;
  indexMemory?: string | undefined;
  indexUrl?: string | undefined;
  indexPasswordFile?: string | undefined;
  indexCa?: string | undefined;
}): UpOptions => {
  const file = flags.config === undefined ? {} : readFile(flags.config);
  const agent = flags.agent === false ? false : (file.agent ?? true);
  const publish = flags.publish ?? file.publish;
  const witnesses = readWitnesses(flags.witness ?? file.witness ?? []);
  const listen = (flags.listen ?? file.listen ?? defaults.listen).map(parseListen);
  const who = readAllowed(flags, file);
  for (const one of listen) assertSomebodyMaySpeak(one, who);
  return {
    publish: publish === undefined ? null : hostPort(publish, '--publish'),
    witnesses,
    witnessQuorum: readQuorum(flags.witnessQuorum ?? file['witness-quorum'], witnesses.length),
    timestampAuthority: readAuthority(flags.timestampAuthority ?? file['timestamp-authority']),
    indexMemory: readIndexMemory(flags.indexMemory ?? file['index-memory'] ?? defaults.indexMemory),
    indexServer: readIndexServer(flags, file),
    listen,
    allowed: who,
    tlsNames: (flags.tlsName ?? file['tls-name'] ?? []).map(tlsName),
    limits: readLimits(flags.limit ?? file.limit ?? []),
    console: hostPort(flags.console ?? file.console ?? defaults.console, '--console'),
    agent: agent ? 'on' : 'off',
    ...readAlerts(file),
  };
};

const readAlerts = ({
  alert = [],
  notify = [],
}: z.infer<typeof upFile>): Pick<UpOptions, 'alerts' | 'notify'> => {
  const targets = notify.map((table) => targetOf(table, hostname(), fail));
  const tables = withNewDoor(
    alert,
    targets.map(({ name }) => name),
  );
  const alerts = tables.map((table) => ruleOf(table, fail));
  for (const [kind, names] of [
    ['alert', alerts.map(({ name }) => name)],
    ['notify', targets.map(({ name }) => name)],
  ] as const)
    for (const [at, name] of names.entries())
      if (names.indexOf(name) !== at) fail(`${kind} "${name}": there are two of that name`);
  for (const { name, notify: wanted } of alerts)
    for (const one of wanted)
      if (!targets.some((target) => target.name === one))
        fail(
          `alert "${name}": there is no [[notify]] with name = "${one}"; there are: ${targets.map((target) => target.name).join(', ') || 'none'}`,
        );
  return { alerts, notify: targets };
};

const readAllowed = (
  flags: {
    allow?: readonly string[] | undefined;
    allowName?: readonly string[] | undefined;
    certificates?: string | undefined;
  },
  file: z.infer<typeof upFile>,
): Allowed => {
  const certificates = flags.certificates ?? file.certificates ?? 'required';
  if (certificates !== 'required' && certificates !== 'optional')
    return fail(`--certificates: '${certificates}' is neither required nor optional`);
  const networks = [...(flags.allow ?? file.allow ?? [])];
  for (const network of networks)
    if (!isNetwork(network)) fail(`--allow: '${network}' is no address and no network, like 192.0.2.0/24`);
  return { networks, names: [...(flags.allowName ?? file['allow-name'] ?? [])], certificates };
};

const tlsName = (text: string): string =>
  isIP(text) !== 0 || /^(\*\.)?[a-z0-9]([a-z0-9._-]{0,250}[a-z0-9])?$/i.test(text)
    ? text
    : fail(`--tls-name: '${text}' is no host name and no address`);
const limitNames = ['connections', 'connects', 'datagrams'] as const;

const readLimits = (texts: readonly string[]): SenderLimits => {
  const limits: SenderLimits = {};
  for (const text of texts) {
    const [, given, count = ''] = /^([a-z]+)=([1-9]\d{0,8})$/.exec(text) ?? [];
    const name = limitNames.find((one) => one === given);
    if (name === undefined)
      return fail(
        `--limit: '${text}' is not NAME=NUMBER with NAME one of ${limitNames.join(', ')}, and a number from 1 on`,
      );
    limits[name] = Number(count);
  }
  return limits;
};

const isNetwork = (text: string): boolean => {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  return isIP(address) !== 0 && Number(bits ?? 0) <= (isIPv6(address) ? 128 : 32);
};

/** A port that is open to a network from which nobody is let in is a mistake, and is said before it is opened. */
const assertSomebodyMaySpeak = ({ kind, host }: ListenOn, { networks, certificates }: Allowed): void => {
  if (/^(127\.|::1$|localhost$)/.test(host) || networks.length > 0) return;
  if (speaksTls(kind) && certificates === 'required') return;
  fail(
    `--listen ${kind}=${host}: beyond this machine nobody may speak there. Name who may with --allow, e.g. ` +
      '--allow 192.0.2.0/24 (--allow 0.0.0.0/0 lets everybody in)',
  );
};

const readWitnesses = (texts: readonly string[]): Witness[] => {
  const witnesses = texts.map((text) => {
    const witness = parseWitness(text);
    return typeof witness === 'string' ? fail(`--witness: '${text}' ${witness}`) : witness;
  });
  // A cosignature does not name who made it, so one key under two names would count twice.
  const keys = new Set(witnesses.map(({ publicKey }) => publicKey));
  if (keys.size !== witnesses.length) fail('--witness: two of the witnesses have the same key');
  return witnesses;
};

const readAuthority = (given: string | undefined): string | null => {
  if (given === undefined) return null;
  const url = URL.parse(given);
  // What stands on a command line is no secret.
  if (
    url === null ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.username !== '' ||
    url.password !== ''
  )
    return fail(
      `--timestamp-authority: '${given}' is no https:// or http:// address without user and password`,
    );
  return url.href;
};

const readIndexServer = (
  flags: {
    indexUrl?: string | undefined;
    indexPasswordFile?: string | undefined;
    indexCa?: string | undefined;
  },
  file: z.infer<typeof upFile>,
): IndexServer | null => {
  const url = flags.indexUrl ?? file['index-url'];
  const passwordFile = flags.indexPasswordFile ?? file['index-password-file'] ?? null;
  const caFile = flags.indexCa ?? file['index-ca'] ?? null;
  if (url === undefined) {
    if (passwordFile !== null) fail('--index-password-file: there is no --index-url that it is for');
    if (caFile !== null) fail('--index-ca: there is no --index-url that it is for');
    return null;
  }
  const place = parseServerPlace(url);
  if (typeof place === 'string') return fail(`--index-url: it ${place}`);
  for (const [flag, path] of [
    ['--index-password-file', passwordFile],
    ['--index-ca', caFile],
  ] as const)
    if (path !== null && !isAbsolute(path))
      fail(`${flag}: '${path}' must be an absolute path: each process has a directory of its own`);
  if (caFile !== null && !place.url.startsWith('https:'))
    fail('--index-ca: only an https:// address has a certificate');
  return { ...place, passwordFile, caFile };
};

const readQuorum = (given: string | number | undefined, witnesses: number): number => {
  if (given === undefined) return witnesses === 0 ? 0 : majority(witnesses);
  const quorum = /^[1-9][0-9]{0,2}$/.test(String(given)) ? Number(given) : 0;
  if (witnesses === 0)
    return fail('--witness-quorum: there is no witness. Name each with --witness VKEY[=URL]');
  if (quorum < 1 || quorum > witnesses)
    return fail(
      `--witness-quorum: '${given}' is not a number from 1 to ${witnesses}, the number of witnesses`,
    );
  return quorum;
};

const mebibyte = 1024 * 1024;
/** With less, the engine cannot merge what it has stored: src/index/memory-shares.ts. */
const leastIndexMemory = 896;

const readIndexMemory = (given: string | number): number => {
  const mebibytes = /^[1-9][0-9]{0,6}$/.test(String(given)) ? Number(given) : 0;
  if (mebibytes < leastIndexMemory)
    return fail(`--index-memory: '${given}' is not a number of MiB from ${leastIndexMemory} on`);
  return mebibytes * mebibyte;
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
