import { setTimeout as sleep } from 'node:timers/promises';
import { formatMicros } from '#base/rfc3339';
import { systemClock } from '#base/clock';
import { printable } from '#base/printable';
import type { Listener, Noted, UseBook } from '#inspect';
import { text, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { renderGaps } from '../gap.ts';
import type { Io } from '../io.ts';
import { jsonLine } from '../json-line.ts';
import { table } from '../table.ts';
import { wrap } from '../wrap.ts';
import { addressOf, isMeant, placeOf } from './endpoint.ts';
import { keptUses } from './kept-uses.ts';
import { renderWindow } from './window.ts';

const everyMs = 250;

export const servicesUsers: Command = {
  name: 'services users',
  summary:
    'who uses each door: clients here and elsewhere, by which address; and for how long it was watched',
  arguments: '[door]',
  flags: [
    { flags: '--for <seconds>', description: 'watch for so long now', default: '3' },
    { flags: '--all', description: 'also unix sockets, and doors that nobody was seen to use' },
  ],
  examples: [
    'holdfast services users',
    'holdfast services users 3306 --for 10',
    'holdfast services users --json',
  ],
  async run({ io, state, json }, [wanted], flags) {
    const seconds = Number(text(flags, 'for') ?? '3');
    if (!(seconds >= 0 && seconds <= 86_400))
      throw new CliError('usage', '--for takes seconds, from 0 to 86400');
    const { collectServices } = await import('#inspect');
    const report = await collectServices();
    const listeners = report.listeners.filter(
      (one) => (wanted === undefined || isMeant(one, wanted)) && one.transient !== true,
    );
    if (listeners.length === 0 && wanted !== undefined)
      throw new CliError('usage', `no door is called '${wanted}': see holdfast services list --all`);
    const isBlind =
      report.listeners.length === 0 && (await import('#wire/audit')).isUnseen('services', report);
    const watched = await watch(listeners, isBlind ? 0 : seconds * 1000);
    const kept = await keptUses(state);
    const couldNotLook = [...report.couldNotLook, ...watched.couldNotLook, ...kept.couldNotLook];
    if (json) {
      io.out(jsonLine({ watched: watched.book, kept: ofDoors(kept.book, listeners), couldNotLook }));
      return isBlind ? Exit.couldNotLook : Exit.done;
    }
    const { all } = flags;
    const shown = listeners.filter(
      ({ protocol }) => all === true || wanted !== undefined || protocol !== 'unix',
    );
    const nobody = isBlind
      ? 'no door could be looked at'
      : report.couldNotLook.length + watched.couldNotLook.length === 0
        ? 'nobody was seen to use a door'
        : 'nobody was seen to use a door, and not all could be looked at';
    for (const book of [kept.book, watched.book])
      if (book !== null)
        io.out(renderUses(io, book, shown, { nobody, alsoUnused: all === true || wanted !== undefined }));
    io.err(renderGaps(io, couldNotLook));
    return isBlind ? Exit.couldNotLook : Exit.done;
  },
};

/** Watches now, and says for how long it did. */
const watch = async (listeners: readonly Listener[], milliseconds: number) => {
  const { noteUses, useWatcher } = await import('#inspect');
  const clock = systemClock();
  const now = (): string => formatMicros(clock.now());
  const watcher = useWatcher();
  const started = clock.elapsed();
  let book: UseBook = { since: now(), watchedMs: 0, everyMs, uses: [] };
  for (;;) {
    const { uses, couldNotLook } = await watcher.sample(listeners);
    const past = clock.elapsed() - started;
    book = noteUses(book, uses, now(), past - book.watchedMs);
    if (past >= milliseconds) return { book: { ...book, watchedMs: Math.round(past) }, couldNotLook };
    await sleep(Math.min(everyMs, milliseconds - past));
  }
};

const doorKey = ({ protocol, address, port, netns }: Noted['door']): string =>
  JSON.stringify([protocol, address, port, netns]);
const listenerKey = ({ protocol, address, port, netns }: Listener): string =>
  doorKey({ protocol, address, port, netns: netns.inode });

const ofDoors = (book: UseBook | null, listeners: readonly Listener[]): UseBook | null => {
  const keys = new Set(listeners.map(listenerKey));
  return book === null ? null : { ...book, uses: book.uses.filter(({ door }) => keys.has(doorKey(door))) };
};

/**
 * The users of each door, who would be cut off marked.
 * @param nobody what it means that there is none
 */
const renderUses = (
  io: Io,
  book: UseBook,
  listeners: readonly Listener[],
  { nobody, alsoUnused }: { nobody: string; alsoUnused: boolean },
): string => {
  const byDoor = Map.groupBy(book.uses, ({ door }) => doorKey(door));
  const rows = listeners.flatMap((listener) => {
    const { protocol, netns } = listener;
    const place = netns.own ? '' : ` in ${placeOf(netns)}`;
    const door = `${protocol} ${addressOf(listener)}${place}`;
    const uses = byDoor.get(listenerKey(listener)) ?? [];
    if (uses.length === 0) return alsoUnused ? [[door, 'nobody was seen', '', '']] : [];
    return uses.map((one, i) => [i === 0 ? door : '', clientOf(one), one.client.to, String(one.seen)]);
  });
  const dialling = book.uses.filter(
    ({ door, client }) => client.dialsOut && listeners.some((one) => listenerKey(one) === doorKey(door)),
  );
  const trap = dialling.map((one) =>
    wrap(
      `${printable(programOf(one) ?? 'a program of this host')} dials ${printable(one.client.to)}, an address of this host's on the network: it would lose ${one.door.protocol} ${one.door.port ?? one.door.address} if that were bound to loopback alone. Point it to 127.0.0.1 or localhost first.`,
      io.width,
      '    ',
      `  ${io.paint('yellow', '!')} `,
    ),
  );
  const body = rows.length === 0 ? `${nobody}\n` : table(io, ['DOOR', 'USED BY', 'BY ADDRESS', 'SEEN'], rows);
  return `${renderWindow(io, book)}${body}${[...new Set(trap)].join('')}\n`;
};

const programOf = ({ client: { program } }: Noted): string | null => {
  if (program === null) return null;
  const { exe, script, unit, user } = program;
  const name = exe?.slice(exe.lastIndexOf('/') + 1) ?? '?';
  return `${name}${script === null ? '' : ` ${script}`} (${[user === null ? null : `user ${user}`, unit].filter((one) => one !== null).join(', ')})`;
};

const clientOf = (one: Noted): string => {
  const { from, address } = one.client;
  if (from === 'elsewhere') return address ?? '?';
  return programOf(one) ?? `a program of this host that was gone already (${address ?? '?'})`;
};
