import { readdir } from 'node:fs/promises';
import type { Clock } from '#base/clock';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import {
  allowedByDefault,
  readyName,
  speaksTls,
  type Allowed,
  type ListenOn,
  type ListenerKind,
  type SenderLimits,
  type TlsFiles,
} from '#wire/listen';
import { openIntakeWriter } from '#vault/intake';
import { connectionLimit, openAdmission } from './admission.ts';
import { openBackpressure } from './backpressure.ts';
import { diskSpace } from './disk-space.ts';
import { ReceiveError } from './errors.ts';
import { openGate } from './gate.ts';
import { listenGelfTcp } from './gelf/tcp.ts';
import { listenGelfUdp } from './gelf/udp.ts';
import { httpLimits, type HttpLimits } from './over-http/limits.ts';
import { bodyMemory } from './over-http/memory.ts';
import { openRepeats } from './over-http/repeats.ts';
import type { CertificateHandler } from './over-http/certificates.ts';
import { listenHttp } from './over-http/server.ts';
import { openLedger, type LedgerCause } from './ledger.ts';
import type { Listener } from './listener.ts';
import { clearSocketPath } from './own/socket-file.ts';
import { ownLines } from './own-line.ts';
import { listenAgents } from './own/agents.ts';
import { listenOwn } from './own/server.ts';
import { listenRelp } from './relp/listen.ts';
import { rememberSessions } from './relp/sessions.ts';
import { openShares } from './shares.ts';
import { carryBudget } from './syslog/framing.ts';
import { watchKernelCounters } from './syslog/kernel-counters.ts';
import { listenSyslogTcp } from './syslog/tcp.ts';
import { listenSyslogUdp } from './syslog/udp.ts';
import { openTlsIdentity, type TlsIdentity } from './tls-identity.ts';

export type { CertificateHandler, CertificateRequest } from './over-http/certificates.ts';
export { passOn } from './over-http/pass-on.ts';
export { ReceiveError, type ReceiveErrorCode } from './errors.ts';

export type ReceiveLimits = {
  /** Bytes of a line that are stored in one piece; longer lines are stored in parts. At least 64 KiB. */
  maxLine: number;
  /** Over all TCP listeners. */
  maxConnections: number;
  /** Of one sender. */
  sender: SenderLimits;
  /** Bytes queued for the disk at which TCP senders are made to wait, and at which they may go on. */
  highWater: number;
  lowWater: number;
  /** Bytes queued for the disk above which datagrams are dropped and counted. */
  dropAbove: number;
  /** Bytes of receive buffer asked for each UDP socket. */
  udpBuffer: number;
  /** Bytes of unfinished lines that all connections may hold before each may hold but 8 KiB. */
  unfinished: number;
  /** Of HTTP; what is left out is as in `httpLimits`. */
  http: Partial<HttpLimits>;
};

const MiB = 1024 * 1024;

export const defaultLimits: ReceiveLimits = {
  maxLine: MiB,
  maxConnections: 10_000,
  sender: {},
  highWater: 32 * MiB,
  lowWater: 8 * MiB,
  dropAbove: 64 * MiB,
  udpBuffer: 64 * MiB,
  unfinished: 64 * MiB,
  http: {},
};

/** What one sender, known by its address, may take, so that none can shut the others out. */
const limitsOf = (given: SenderLimits, connections: number): Record<keyof SenderLimits, number> => ({
  connections: Math.min(given.connections ?? Math.ceil(connections / 2), connections),
  connects: given.connects ?? 500,
  datagrams: given.datagrams ?? Infinity,
});

export type ReceiverOptions = {
  /** `intake` and `run` exist and are this process's to write. */
  state: Pick<StateDirectory, 'intake' | 'ownSocket'>;
  listen: readonly ListenOn[];
  /** Default: loopback alone, and whoever has a certificate. */
  allowed?: Allowed;
  /** Needed by listeners that speak TLS. */
  tls?: TlsFiles | null;
  /** Who answers `POST /enrol` and `/renew` at `https` listeners; without it they are not there. */
  certificates?: CertificateHandler | null;
  clock: Clock;
  log: OwnLog;
  /** Called when nothing can be made durable any more: the process has to end. */
  onFault: (error: unknown) => void;
  limits?: Partial<ReceiveLimits>;
};

export type Receiver = {
  /** `HOST:PORT` as bound: `syslogTcp`, `syslogUdp`; a second one of a kind is `syslogTcp2`, and so on. */
  addresses: Record<string, string>;
  /** Stops accepting, reads what has arrived, makes it durable and closes. @throws IntakeWriteError */
  stop(): Promise<void>;
};

/** How long what has already arrived is read at a stop. */
const lastReadsMs = 300;

/** @throws ReceiveError, IntakeWriteError: nothing is left listening */
export const startReceiver = async (options: ReceiverOptions): Promise<Receiver> => {
  const { state, clock, log, onFault } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const strangers: Listener[] = [];
  const own: Listener[] = [];
  const closing: (() => void)[] = [];

  const lines = ownLines(clock);
  let totals = (): ReadonlyMap<LedgerCause, number> => new Map();
  /** Intake may be full from the start, before there is anybody to hold back. */
  let tellPressure: (level: 'high' | 'low') => void = () => undefined;
  const disk = diskSpace(state.intake, limits.dropAbove, lines, clock, log, () => totals());

  await clearSocketPath(state.ownSocket);
  const began = (await readdir(state.intake)).some((name) => name.endsWith('.intake')) ? 'again' : 'new';
  const intake = await openIntakeWriter({
    dir: state.intake,
    clock,
    highWaterBytes: limits.highWater,
    lowWaterBytes: limits.lowWater,
    onPressure(level) {
      tellPressure(level);
      for (const listener of [...strangers, ...own]) {
        if (level === 'high') listener.pause();
        else listener.resume();
      }
    },
    onSpace: disk.onSpace,
    reserve: disk.reserve,
    onFault,
  });
  const ledger = openLedger(intake, lines, clock, log, {
    holdAbove: limits.highWater,
    onTick: () => disk.tick(ledger),
  });
  const backpressure = openBackpressure({
    clock,
    ledger,
    space: () => intake.space,
    listeners: () => [...strangers, ...own],
  });
  tellPressure = (level) => backpressure.onPressure(level);
  if (intake.pressure === 'high') tellPressure('high');
  totals = ledger.totals;

  const stop = async (): Promise<void> => {
    await Promise.all(strangers.map((listener) => listener.stop(lastReadsMs)));
    await Promise.all(own.map((listener) => listener.stop(lastReadsMs)));
    for (const close of closing) close();
    backpressure.stop();
    ledger.stop();
    ledger.flush();
    await intake.close();
  };

  const addresses: Record<string, string> = {};
  /** A disk that was full from the start holds senders back from their first byte on. */
  const begin = (listener: Listener, among: Listener[]): void => {
    among.push(listener);
    if (intake.pressure === 'high') listener.pause();
  };
  const connections = connectionLimit(limits.maxConnections);
  const ofSender = limitsOf(limits.sender, connections);
  const admission = openAdmission(
    { connections, ofSender: ofSender.connections, connectsOfSender: ofSender.connects },
    clock,
  );
  const budget = carryBudget(limits.maxLine, limits.unfinished);
  try {
    const gate = openGate(options.allowed ?? allowedByDefault);
    const identity = options.listen.some(({ kind }) => speaksTls(kind)) ? openIdentity(options, log) : null;
    closing.push(() => identity?.stop());
    const stream = { intake, ledger, clock, gate, admission, budget };
    const datagrams = {
      intake,
      ledger,
      clock,
      gate,
      log,
      receiveBuffer: limits.udpBuffer,
      shares: openShares({ perSecond: ofSender.datagrams, dropAbove: limits.dropAbove }, clock),
    };
    if (options.listen.some(({ kind }) => kind.endsWith('-udp')))
      closing.push(await watchKernelCounters(ledger, log));
    const http = {
      ...stream,
      memory: bodyMemory(limits.http.bodies ?? httpLimits.bodies),
      repeats: openRepeats(clock, began),
      certificates: options.certificates ?? null,
      limits: limits.http,
    };
    const sessions = rememberSessions();
    const secure = (): TlsIdentity => identity ?? openIdentity(options, log);
    const open: Record<ListenerKind, (at: Pick<ListenOn, 'host' | 'port'>) => Promise<Listener>> = {
      'syslog-tcp': (at) => listenSyslogTcp({ ...at, ...stream, tls: null }),
      'syslog-tls': (at) => listenSyslogTcp({ ...at, ...stream, tls: secure() }),
      relp: (at) => listenRelp({ ...at, ...stream, sessions, tls: null }),
      'relp-tls': (at) => listenRelp({ ...at, ...stream, sessions, tls: secure() }),
      agent: (at) => listenAgents({ ...at, ...stream, log, tls: secure() }),
      'syslog-udp': (at) => listenSyslogUdp({ ...at, ...datagrams }),
      http: (at) => listenHttp({ ...at, ...http, tls: null }),
      https: (at) => listenHttp({ ...at, ...http, tls: secure() }),
      'gelf-tcp': (at) => listenGelfTcp({ ...at, ...stream, tls: null }),
      'gelf-udp': (at) => listenGelfUdp({ ...at, ...datagrams }),
    };
    begin(await listenOwn({ path: state.ownSocket, intake, clock, log }), own);
    for (const { kind, host, port } of options.listen) {
      const listener = await open[kind]({ host, port });
      begin(listener, strangers);
      addresses[unusedName(addresses, readyName(kind))] = listener.address;
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { addresses, stop };
};

/** @throws ReceiveError `tls-files` */
const openIdentity = ({ tls }: ReceiverOptions, log: OwnLog): TlsIdentity => {
  if (tls !== null && tls !== undefined) return openTlsIdentity(tls, log);
  throw new ReceiveError('tls-files', 'a listener that speaks TLS needs a certificate, and none was given');
};

const unusedName = (taken: Record<string, string>, base: string): string => {
  let name = base;
  for (let n = 2; name in taken; n += 1) name = `${base}${n}`;
  return name;
};
