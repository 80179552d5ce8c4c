import { hostname } from 'node:os';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { printable } from '#base/printable';
import { formatMicros } from '#base/rfc3339';
import { fieldNamed } from '#search';
import { createFile, unfinishedPath } from '#vault/durable';
import {
  alertEvent,
  notificationFile,
  type AlertEvent,
  type AlertRule,
  type Notification,
} from '#wire/alert';
import type { Store } from './store.ts';
import { watchInWords } from './words.ts';

/** Of the lines that say what fires. */
export const alertKind = 'alert';

/** Something to say, as fields of a line. */
export type Word = { kind: string; fields: Record<string, unknown> };

/** How alerts say what they have to say: as lines of the log. */
export type Voice = {
  /** Resolves when the lines are durable, in one step with the number of the last, which belongs to a store. */
  say(words: readonly Word[], store: string, last: number): Promise<void>;
  /** Number of the last line of a store that is durable; 0: none. */
  said(store: string): number;
  /** Whether the receiver takes lines: else nobody's silence means anything. */
  connected(): boolean;
};

/** Events that one notification lists; each has its line, listed or not. */
const mostListed = 50;
/** Notifications in the outbox at most; the oldest go. */
const mostWaiting = 10_000;
const keptMs = 8 * 86_400_000;

/** Says each event that was not said yet as a line. @throws ShipError */
export const sayEvents = async (store: Store, rules: readonly AlertRule[], voice: Voice): Promise<void> => {
  const rows = store.rows('SELECT sequence, rule, event FROM event WHERE said = 0 ORDER BY sequence');
  const last = Number(rows.at(-1)?.['sequence'] ?? 0);
  if (last === 0) return;
  const words = rows
    .filter(({ sequence }) => Number(sequence) > voice.said(store.id))
    .map((row) => wordOf(String(row['rule']), parseEvent(row['event']), rules));
  if (words.length > 0) await voice.say(words, store.id, last);
  store.run('UPDATE event SET said = 1 WHERE sequence <= ?', last);
};

const wordOf = (name: string, event: AlertEvent, rules: readonly AlertRule[]): Word => {
  const { episode, state, of, text, lines, since, until, samples } = event;
  const severity =
    state === 'recovered' ? 'notice' : (rules.find((rule) => rule.name === name)?.severity ?? 'notice');
  const line = samples[0]?.address ?? null;
  return {
    kind: alertKind,
    fields: { severity, rule: name, state, of, text, lines, since, until, episode, line },
  };
};

export const parseEvent = (json: unknown): AlertEvent => alertEvent.parse(JSON.parse(String(json)));

/** Of what, and to whom, a notification is. */
type About = Pick<AlertRule, 'name' | 'query' | 'severity' | 'notify'> & { words: string };

/** Makes one notification of the events of a rule that nobody was notified of. @returns whether there are any */
export const notify = (store: Store, rule: AlertRule, clock: Clock): boolean =>
  store.transaction(() => {
    const rows = store.rows(
      'SELECT sequence, event FROM event WHERE rule = ? AND said = 1 ORDER BY sequence',
      rule.name,
    );
    const last = rows.at(-1)?.['sequence'];
    if (last === undefined) return false;
    store.run('DELETE FROM event WHERE rule = ? AND said = 1 AND sequence <= ?', rule.name, last);
    if (rule.notify.length > 0)
      addNotification(
        store,
        { ...rule, words: watchInWords(rule.watch) },
        rows.map(({ event }) => parseEvent(event)),
        clock,
      );
    return true;
  });

/** @returns its id */
export const addNotification = (
  store: Store,
  { name, query, severity, notify: targets, words }: About,
  events: readonly AlertEvent[],
  clock: Clock,
): string => {
  store.run(`INSERT INTO notification (content) VALUES ('')`);
  const sequence = Number(store.rows('SELECT last_insert_rowid() AS n')[0]?.['n']);
  const id = `${store.id}-${sequence}`;
  const content: Notification = {
    id,
    rule: name,
    severity: events.every(({ state }) => state === 'recovered') ? 'notice' : severity,
    notify: targets,
    log: hostname(),
    time: formatMicros(clock.now()),
    query,
    watch: words,
    events: events.slice(0, mostListed).map(shown),
    more: Math.max(0, events.length - mostListed),
    look: lookCommand(query, events),
  };
  store.run('UPDATE notification SET content = ? WHERE sequence = ?', JSON.stringify(content), sequence);
  return id;
};

/** Values are those of lines, which anybody may have sent. */
const shown = (event: AlertEvent): AlertEvent => ({
  ...event,
  of: Object.fromEntries(Object.entries(event.of).map(([name, value]) => [name, printable(value)])),
});

/** Puts notifications where the courier finds them; one that was put there before is the same file again. */
export const writeOutbox = (store: Store, outbox: string, clock: Clock): void => {
  const rows = store.rows('SELECT sequence, content FROM notification ORDER BY sequence');
  if (rows.length === 0) return;
  mkdirSync(outbox, { recursive: true, mode: 0o750 });
  for (const { sequence, content } of rows) {
    const file = join(outbox, notificationFile.name(store.id, Number(sequence)));
    rmSync(unfinishedPath(file), { force: true });
    createFile(file, Buffer.from(`${String(content)}\n`), 0o640, null);
    store.run('DELETE FROM notification WHERE sequence = ?', Number(sequence));
  }
  removeOld(outbox, clock);
};

/** The courier has taken them by then, or has not run for a week. */
const removeOld = (outbox: string, clock: Clock): void => {
  const files = readdirSync(outbox).toSorted();
  for (const [at, name] of files.entries()) {
    const file = join(outbox, name);
    const isOld = statSync(file).mtimeMs < clock.now() / 1000 - keptMs;
    if (!isOld && files.length - at <= mostWaiting) break;
    rmSync(file, { force: true });
  }
};

/** The lines that most of the events are about, for a shell. */
export const lookCommand = (query: string, events: readonly AlertEvent[]): string | null => {
  const about = events.filter(({ state }) => state === 'firing' || state === 'seen');
  const [first] = about;
  if (first === undefined) return null;
  const since = about.map((event) => event.since).reduce((least, one) => (one < least ? one : least));
  const until = about.map((event) => event.until).reduce((most, one) => (one > most ? one : most));
  const of = about.length === 1 ? Object.entries(first.of) : [];
  const terms = [
    query === '' ? '' : /\bOR\b/.test(query) ? `(${query})` : query,
    ...of
      // What cannot be typed narrows nothing: the command is to be read and copied.
      .filter(([, value]) => value !== '' && printable(value) === value)
      .map(
        ([name, value]) =>
          `${name}${fieldNamed(name) === null ? '=' : ':'}"${value.replaceAll(/[\\"]/g, '\\$&')}"`,
      ),
    `since:${since.slice(0, 19)}Z`,
    `until:${nextSecond(until)}`,
  ];
  return `holdfast logs search '${terms
    .filter((term) => term !== '')
    .join(' ')
    .replaceAll("'", `'\\''`)}'`;
};

const nextSecond = (time: string): string =>
  `${new Date(Date.parse(time) + 1000).toISOString().slice(0, 19)}Z`;
