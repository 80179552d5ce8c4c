import type { Clock } from '#base/clock';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { openIntakeWriter } from '#vault/intake';
import { admitAtMost, connectionLimit } from './admission.ts';
import { diskSpace } from './disk-space.ts';
import { openLedger, type LossCause } from './ledger.ts';
import type { Listener } from './listener.ts';
import { clearSocketPath } from './own/socket-file.ts';
import { ownLines } from './own-line.ts';
import { listenOwn } from './own/server.ts';
import { carryBudget } from './syslog/framing.ts';
import { listenSyslogTcp } from './syslog/tcp.ts';
import { listenSyslogUdp } from './syslog/udp.ts';

export { ReceiveError, type ReceiveErrorCode } from './errors.ts';

/** What to listen on for strangers. Port 0 is any free one; IPv6 literals may stand in brackets. */
export type ListenOn = { kind: 'syslog-tcp' | 'syslog-udp'; host: string; port: number };

export type ReceiveLimits = {
  /** Bytes of a line that are stored in one piece; longer lines are stored in parts. At least 64 KiB. */
  maxLine: number;
  /** Over all TCP listeners. */
  maxConnections: number;
  /** Bytes queued for the disk at which TCP senders are made to wait, and at which they may go on. */
  highWater: number;
  lowWater: number;
  /** Bytes queued for the disk above which datagrams are dropped and counted. */
  dropAbove: number;
  /** Bytes of receive buffer asked for each UDP socket. */
  udpBuffer: number;
  /** Bytes of unfinished lines that all connections may hold before each may hold but 8 KiB. */
  unfinished: number;
};

const MiB = 1024 * 1024;

export const defaultLimits: ReceiveLimits = {
  maxLine: MiB,
  maxConnections: 10_000,
  highWater: 32 * MiB,
  lowWater: 8 * MiB,
  dropAbove: 64 * MiB,
  udpBuffer: 64 * MiB,
  unfinished: 64 * MiB,
};

export type ReceiverOptions = {
  /** `intake` and `run` exist and are this process's to write. */
  state: Pick<StateDirectory, 'intake' | 'ownSocket'>;
  listen: readonly ListenOn[];
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

  const lines = ownLines(clock);
  let totals = (): ReadonlyMap<LossCause, number> => new Map();
  const disk = diskSpace(state.intake, limits.dropAbove, lines, clock, log, () => totals());

  await clearSocketPath(state.ownSocket);
  const intake = await openIntakeWriter({
    dir: state.intake,
    clock,
    highWaterBytes: limits.highWater,
    lowWaterBytes: limits.lowWater,
    onPressure(level) {
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
  totals = ledger.totals;

  const stop = async (): Promise<void> => {
    await Promise.all(strangers.map((listener) => listener.stop(lastReadsMs)));
    await Promise.all(own.map((listener) => listener.stop(lastReadsMs)));
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
  const admission = admitAtMost(connectionLimit(limits.maxConnections));
  const budget = carryBudget(limits.maxLine, limits.unfinished);
  try {
    begin(await listenOwn({ path: state.ownSocket, intake, clock, log }), own);
    for (const { kind, host, port } of options.listen) {
      const at = { host, port, intake, ledger, clock };
      const listener =
        kind === 'syslog-tcp'
          ? await listenSyslogTcp({ ...at, admission, budget })
          : await listenSyslogUdp({
              ...at,
              log,
              receiveBuffer: limits.udpBuffer,
              dropAbove: limits.dropAbove,
            });
      begin(listener, strangers);
      addresses[unusedName(addresses, kind === 'syslog-tcp' ? 'syslogTcp' : 'syslogUdp')] = listener.address;
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { addresses, stop };
};

const unusedName = (taken: Record<string, string>, base: string): string => {
  let name = base;
  for (let n = 2; name in taken; n += 1) name = `${base}${n}`;
  return name;
};
