import { micros, type Micros } from '#base/clock';
import { toBytes, type ByteString } from './parse/byte-string.ts';
import type { RowHead } from './project/project.ts';

/** What is known of the lines of one host, app, source, way and listener. Times are those that search sorts by. */
export type Sender = {
  host: string;
  app: string;
  source: string;
  via: string;
  listener: string;
  /** Whether these lines carry a number given by their sender, so that a missing one would show. */
  numbered: boolean;
  lines: number;
  first: Micros;
  last: Micros;
};

/**
 * Everybody who ever sent a line, kept in memory: search takes names from it instead of scanning for them, and can
 * say for any time range who in it does not number its lines.
 */
export class Senders {
  private readonly known = new Map<string, Sender>();
  private lastHead: RowHead | null = null;
  private lastSender: Sender | null = null;

  add(row: RowHead): void {
    const { lastHead } = this;
    const same =
      lastHead !== null &&
      lastHead.app === row.app &&
      lastHead.host === row.host &&
      lastHead.source === row.source &&
      lastHead.listener === row.listener &&
      lastHead.via === row.via &&
      lastHead.stream === row.stream;
    if (!same || this.lastSender === null) this.lastSender = this.senderOf(row);
    this.lastHead = row;
    const sender = this.lastSender;
    sender.lines += 1;
    if (row.time < sender.first) sender.first = row.time;
    if (row.time > sender.last) sender.last = row.time;
  }

  /** Adds what another one has. */
  merge(other: Senders): void {
    for (const sender of other.all()) this.put(sender);
  }

  put(sender: Sender): void {
    const key = keyOf(sender);
    const known = this.known.get(key);
    if (known === undefined) {
      this.known.set(key, { ...sender });
      return;
    }
    known.lines += sender.lines;
    known.first = micros(Math.min(known.first, sender.first));
    known.last = micros(Math.max(known.last, sender.last));
  }

  all(): IterableIterator<Sender> {
    return this.known.values();
  }

  clear(): void {
    this.known.clear();
    this.lastHead = null;
    this.lastSender = null;
  }

  private senderOf(row: RowHead): Sender {
    const sender: Sender = {
      host: text(row.host),
      app: text(row.app),
      source: text(row.source),
      via: text(row.via),
      listener: text(row.listener),
      numbered: row.stream !== '',
      lines: 0,
      first: row.time,
      last: row.time,
    };
    const key = keyOf(sender);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.known.set(key, sender);
    return sender;
  }
}

const text = (bytes: ByteString): string => toBytes(bytes).toString('utf8');

const keyOf = (sender: Sender): string =>
  [sender.app, sender.host, sender.source, sender.via, sender.listener, sender.numbered ? '1' : ''].join(
    '\u0000',
  );
