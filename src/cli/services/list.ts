import { printable } from '#base/printable';
import type { HolderProcess, Listener, Reachable } from '#inspect';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { renderGaps } from '../gap.ts';
import { jsonLine } from '../json-line.ts';
import { table } from '../table.ts';
import { wrap } from '../wrap.ts';
import { addressOf, placeOf } from './endpoint.ts';

export const servicesList: Command = {
  name: 'services list',
  summary: 'every socket that a stranger can send bytes to, and who holds it',
  flags: [{ flags: '--all', description: 'also unix, raw and packet sockets' }],
  examples: ['holdfast services list', 'holdfast services list --json'],
  async run({ io, json }, _args, flags) {
    const { collectDoors } = await import('#inspect/doors');
    const report = await collectDoors();
    const { listeners, couldNotLook } = report;
    const isEmpty = listeners.length === 0;
    const unseen = isEmpty && (await import('#wire/audit')).isUnseen('services', report);
    const status = unseen ? Exit.couldNotLook : Exit.done;
    if (json) {
      io.out(jsonLine({ listeners, couldNotLook }));
      return status;
    }
    const shown = listeners.filter(
      ({ protocol }) => flags['all'] === true || ['tcp', 'udp', 'udplite', 'sctp'].includes(protocol),
    );
    const head = ['DOOR', 'REACHABLE FROM', 'HELD BY'];
    const rows = shown.map((one) => rowOf(one, one.reachable));
    io.out(table(io, head, rows));
    for (const [rule, doors] of Map.groupBy(shown.filter(isBeyondHost), ({ reachable }) =>
      decidedBy(reachable),
    ))
      io.out(wrap(`${printable(portsOf(doors))}: ${printable(rule)}`, io.width, '    ', '  '));
    io.err(renderGaps(io, couldNotLook));
    return status;
  },
};

/** One door as the cells of a row. */
export const rowOf = (listener: Listener, reachable: Reachable | null): string[] => [
  `${listener.protocol} ${addressOf(listener)}${listener.netns.own ? '' : ` in ${placeOf(listener.netns)}`}`,
  listener.permissions === null ? whence(reachable) : `this host: ${listener.permissions.connect}`,
  [heldBy(listener), programsOf(listener)].filter((part) => part !== '').join(' '),
];

/** What holds it, where that is no process of its own. */
const heldBy = (listener: Listener): string => {
  const { holder, kernelService, translatedBy, forwardsTo, uid } = listener;
  if (holder === 'process') return '';
  if (holder === 'kernel') return `kernel: ${kernelService ?? '?'}`;
  if (holder === 'unseen') return `unseen${uid === null ? '' : `, of uid ${uid}`}`;
  const to = forwardsTo === null ? '' : ` to ${forwardsTo}`;
  if (holder === 'systemd') return `systemd (${listener.socketUnit ?? 'init'})${to}`;
  return `${translatedBy === null ? 'forwarder' : 'a rule'}${to}`;
};

/** `anyone`, `anyone but 10.0.0.0/8`, `192.0.2.0/24, …`; `?` where it could not be judged. */
const whence = (reachable: Reachable | null): string => {
  if (reachable === null) return '?';
  const { from, networks, doubts } = reachable;
  const some = networks.length > 3 ? `${networks.slice(0, 3).join(', ')}, …` : networks.join(', ');
  const who = from === 'networks' ? some : networks.length > 0 ? `${from} but ${some}` : from;
  return doubts.length > 0 ? `at most ${who}` : who;
};

const portsOf = (doors: readonly Listener[]): string =>
  [...new Set(doors.map(({ protocol, port }) => `${protocol} ${port ?? ''}`))].join(', ');

const isBeyondHost = <T extends { reachable: Reachable | null }>(
  one: T,
): one is T & { reachable: Reachable } => one.reachable !== null && one.reachable.from !== 'this host';

const decidedBy = ({ rule, doubts }: Reachable): string =>
  [rule, ...doubts.map((doubt) => `not certain: ${doubt}`)].join('; ');

/** `nginx [51-53] www-data, nginx.service`: each program once, with every process of it; systemd itself is said before. */
const programsOf = ({ processes, holder }: Listener): string => {
  const others = processes.filter(({ exe }) => holder !== 'systemd' || !isSystemd(exe));
  const programs = Map.groupBy(
    others,
    ({ exe, deleted, script }) =>
      `${exe === null ? '?' : exe.slice(exe.lastIndexOf('/') + 1)}${deleted ? ' (deleted)' : ''}${script === null ? '' : ` ${script}`}`,
  );
  return [...programs]
    .map(([name, of]) => {
      const [first] = of;
      const more = [first?.user, first?.unit].filter((one) => one !== null && one !== undefined).join(', ');
      return `${name} [${pidsOf(of)}]${more === '' ? '' : ` ${more}`}`;
    })
    .join('; ');
};

const isSystemd = (exe: string | null): boolean => exe?.endsWith('/lib/systemd/systemd') ?? false;

const pidsOf = (of: readonly HolderProcess[]): string =>
  of.length > 4 ? `${of[0]?.pid}, … ${of.length} processes` : of.map(({ pid }) => pid).join(', ');
