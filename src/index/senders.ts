import { micros, type Micros } from '#base/clock';
import { toBytes, type ByteString } from './parse/byte-string.ts';
import type { SentBy } from './project/row.ts';

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

/** What is known of the lines of all senders that are not kept by name. */
export type Others = Omit<Sender, 'host' | 'app' | 'source' | 'via' | 'listener'>;

/** Strangers choose the names, so there is a bound: this many senders are kept by name. */
export const mostSenders = 20_000;

/**
 * Who ever sent a line, kept in memory: search takes names from it instead of scanning for them, and can say for any
 * time range who in it does not number its lines. Of more than `most` the later ones are only counted together.
 */
export class Senders {
  private readonly most: number;
  private known = new Map<string, Sender>();
  private rest: Others = noOthers();
  /** The way to a sender of the rows that `add` sees, without a key made for each of them. */
  private ways: Ways = new Map();
  private lastWay: { by: SentBy; byApp: ByApp } | null = null;

  constructor(most: number = mostSenders) {
    this.most = most;
  }

  add(time: Micros, host: ByteString, app: ByteString, by: SentBy): void {
    const byApp = this.wayOf(by);
    let byHost = byApp.get(app);
    if (byHost === undefined) byApp.set(app, (byHost = new Map()));
    let sender = byHost.get(host);
    if (sender === undefined) byHost.set(host, (sender = this.senderOf(host, app, by)));
    sender.lines += 1;
    if (time < sender.first) sender.first = time;
    if (time > sender.last) sender.last = time;
    if (by.stream === '') sender.numbered = false;
  }

  /** Adds what another one has. */
  merge(other: Senders): void {
    for (const sender of other.all()) this.put(sender);
    this.putOthers(other.rest);
  }

  put(sender: Sender): void {
    const key = keyOf(sender);
    const known = this.known.get(key);
    if (known !== undefined) addTo(known, sender);
    else if (this.known.size < this.most) this.known.set(key, { ...sender });
    else addTo(this.rest, sender);
  }

  putOthers(others: Others): void {
    if (others.lines > 0) addTo(this.rest, others);
  }

  /** Those kept by name. */
  all(): IterableIterator<Sender> {
    return this.known.values();
  }

  /** The rest of them; `null` if everybody is kept by name. */
  others(): Readonly<Others> | null {
    return this.rest.lines === 0 ? null : this.rest;
  }

  /** How many lines all of them have. */
  lines(): number {
    let lines = this.rest.lines;
    for (const sender of this.known.values()) lines += sender.lines;
    return lines;
  }

  /** Takes over what another one has, in place of its own. */
  become(other: Senders): void {
    this.clear();
    this.known = other.known;
    this.rest = other.rest;
  }

  clear(): void {
    this.known = new Map();
    this.rest = noOthers();
    this.ways = new Map();
    this.lastWay = null;
  }

  /** Rows that follow one another mostly came with one head. */
  private wayOf(by: SentBy): ByApp {
    if (this.lastWay?.by === by) return this.lastWay.byApp;
    const key = [by.source, by.via, by.listener, by.stream === '' ? '' : '1'].join('\u0000');
    let byApp = this.ways.get(key);
    if (byApp === undefined) this.ways.set(key, (byApp = new Map()));
    this.lastWay = { by, byApp };
    return byApp;
  }

  private senderOf(host: ByteString, app: ByteString, by: SentBy): Others {
    const sender: Sender = {
      host: text(host),
      app: text(app),
      source: text(by.source),
      via: text(by.via),
      listener: text(by.listener),
      ...noOthers(),
      numbered: by.stream !== '',
    };
    const key = keyOf(sender);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= this.most) return this.rest;
    this.known.set(key, sender);
    return sender;
  }
}

type ByApp = Map<ByteString, Map<ByteString, Others>>;
type Ways = Map<string, ByApp>;

const noOthers = (): Others => ({
  numbered: true,
  lines: 0,
  first: micros(Number.MAX_SAFE_INTEGER),
  last: micros(Number.MIN_SAFE_INTEGER),
});

const addTo = (tally: Others, { lines, first, last, numbered }: Others): void => {
  tally.lines += lines;
  if (first < tally.first) tally.first = first;
  if (last > tally.last) tally.last = last;
  if (!numbered) tally.numbered = false;
};

const text = (bytes: ByteString): string => toBytes(bytes).toString('utf8');

const keyOf = (sender: Sender): string =>
  [sender.app, sender.host, sender.source, sender.via, sender.listener, sender.numbered ? '1' : ''].join(
    '\u0000',
  );
