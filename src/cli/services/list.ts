import type { HolderProcess, Listener } from '#inspect';
import { isUnseen } from '#wire/audit';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { renderGaps } from '../gap.ts';
import { jsonLine } from '../json-line.ts';
import { table } from '../table.ts';

export const servicesList: Command = {
  name: 'services list',
  summary: 'every socket that a stranger can send bytes to, and who holds it',
  flags: [{ flags: '--all', description: 'also unix, raw and packet sockets' }],
  examples: ['holdfast services list', 'holdfast services list --json'],
  async run({ io, json }, _args, flags) {
    const { collectServices } = await import('#inspect');
    const report = await collectServices();
    const { listeners, couldNotLook } = report;
    const status = isUnseen('services', report) ? Exit.couldNotLook : Exit.done;
    if (json) {
      io.out(jsonLine({ listeners, couldNotLook }));
      return status;
    }
    const shown = listeners.filter(
      ({ protocol }) => flags['all'] === true || ['tcp', 'udp', 'udplite', 'sctp'].includes(protocol),
    );
    const head = ['PROTO', 'ADDRESS', 'SCOPE', 'HELD BY', 'USER', 'UNIT', 'PACKAGE', 'PROCESS'];
    io.out(table(io, head, shown.map(rowOf)));
    io.err(renderGaps(io, couldNotLook));
    return status;
  },
};

/** One listener as the cells of a row; where several processes hold it, user, unit and package are the first's. */
export const rowOf = (listener: Listener): string[] => {
  const [first] = listener.processes;
  return [
    listener.protocol,
    addressOf(listener),
    listener.netns.own
      ? listener.scope
      : `${listener.scope} (${listener.netns.name ?? `net:${listener.netns.inode ?? '?'}`})`,
    listener.holder === 'kernel' ? `kernel: ${listener.kernelService ?? '?'}` : listener.holder,
    first?.user ?? (listener.uid === null ? '-' : `uid ${listener.uid}`),
    first?.unit ?? listener.socketUnit ?? '-',
    first?.package ?? '-',
    programsOf(listener.processes),
  ];
};

const addressOf = ({ protocol, address, port, v6only }: Listener): string => {
  const bracketed = address.includes(':') && port !== null ? `[${address}]` : address;
  const whole = port === null ? bracketed : `${bracketed}:${port}`;
  if (address !== '::' || protocol === 'raw') return whole;
  return `${whole} (${v6only === null ? 'IPv4 too: ?' : v6only ? 'IPv6 only' : 'IPv4 too'})`;
};

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
