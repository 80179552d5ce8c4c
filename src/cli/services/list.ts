import type { HolderProcess, Listener, Reachable } from '#inspect';
import { isUnseen } from '#wire/audit';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { renderGaps } from '../gap.ts';
import { jsonLine } from '../json-line.ts';
import { table } from '../table.ts';
import { addressOf, placeOf } from './endpoint.ts';

export const servicesList: Command = {
  name: 'services list',
  summary: 'every socket that a stranger can send bytes to, and who holds it',
  flags: [{ flags: '--all', description: 'also unix, raw and packet sockets' }],
  examples: ['holdfast services list', 'holdfast services list --json'],
  async run({ io, json }, _args, flags) {
    const { collectDoors } = await import('#inspect');
    const report = await collectDoors();
    const { listeners, couldNotLook } = report;
    const status = isUnseen('services', report) ? Exit.couldNotLook : Exit.done;
    if (json) {
      io.out(jsonLine({ listeners, couldNotLook }));
      return status;
    }
    const shown = listeners.filter(
      ({ protocol }) => flags['all'] === true || ['tcp', 'udp', 'udplite', 'sctp'].includes(protocol),
    );
    const head = [
      'PROTO',
      'ADDRESS',
      'REACHABLE FROM',
      'SCOPE',
      'HELD BY',
      'USER',
      'UNIT',
      'PACKAGE',
      'PROCESS',
    ];
    const rows = shown.map((one) => rowOf(one, one.reachable));
    io.out(table(io, head, rows));
    for (const [rule, doors] of Map.groupBy(shown.filter(isBeyondHost), ({ reachable }) =>
      decidedBy(reachable),
    ))
      io.out(
        `${doors.map(({ protocol, port }) => `${protocol} ${port ?? ''}`).join(', ')}: ${io.paint('dim', rule)}\n`,
      );
    io.err(renderGaps(io, couldNotLook));
    return status;
  },
};

/** One listener as the cells of a row; where several processes hold it, user, unit and package are the first's. */
export const rowOf = (listener: Listener, reachable: Reachable | null): string[] => {
  const [first] = listener.processes;
  return [
    listener.protocol,
    addressOf(listener),
    listener.permissions === null ? whence(reachable) : `this host: ${listener.permissions.connect}`,
    listener.netns.own ? listener.scope : `${listener.scope} (${placeOf(listener.netns)})`,
    heldBy(listener),
    first?.user ?? (listener.uid === null ? '-' : `uid ${listener.uid}`),
    first?.unit ?? listener.socketUnit ?? '-',
    first?.package ?? '-',
    programsOf(listener.processes),
  ];
};

const heldBy = ({ holder, kernelService, translatedBy, forwardsTo }: Listener): string => {
  if (holder === 'kernel') return `kernel: ${kernelService ?? '?'}`;
  if (holder !== 'forwarder') return holder;
  return `${translatedBy === null ? 'forwarder' : 'a rule'}${forwardsTo === null ? '' : `, to ${forwardsTo}`}`;
};

/** `anyone`, `anyone but 10.0.0.0/8`, `192.0.2.0/24, …`; `?` where it could not be judged. */
const whence = (reachable: Reachable | null): string => {
  if (reachable === null) return '?';
  const { from, networks, doubts } = reachable;
  const some = networks.length > 3 ? `${networks.slice(0, 3).join(', ')}, …` : networks.join(', ');
  const who = from === 'networks' ? some : networks.length > 0 ? `${from} but ${some}` : from;
  return doubts.length > 0 ? `at most ${who}` : who;
};

const isBeyondHost = <T extends { reachable: Reachable | null }>(
  one: T,
): one is T & { reachable: Reachable } => one.reachable !== null && one.reachable.from !== 'this host';

const decidedBy = ({ rule, doubts }: Reachable): string =>
  [rule, ...doubts.map((doubt) => `not certain: ${doubt}`)].join('; ');

/** `/usr/bin/python3.11 /srv/app.py [812, 813]`: each program once, with every process of it. */
const programsOf = (processes: readonly HolderProcess[]): string => {
  const programs = Map.groupBy(
    processes,
    ({ exe, deleted, script }) =>
      `${exe ?? '?'}${deleted ? ' (deleted)' : ''}${script === null ? '' : ` ${script}`}`,
  );
  return (
    [...programs].map(([name, held]) => `${name} [${held.map(({ pid }) => pid).join(', ')}]`).join('; ') ||
    '-'
  );
};
