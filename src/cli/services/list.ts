import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { table } from '../table.ts';

export const servicesList: Command = {
  name: 'services list',
  summary: 'every socket that a stranger can send bytes to, and who holds it',
  flags: [{ flags: '--all', description: 'also unix, raw and packet sockets' }],
  examples: ['holdfast services list', 'holdfast services list --json'],
  async run({ io, json }, _args, flags) {
    const { collectServices } = await import('#inspect');
    const { listeners, couldNotLook } = await collectServices();
    if (json) {
      io.out(`${JSON.stringify({ listeners, couldNotLook })}\n`);
      return Exit.done;
    }
    const shown = listeners.filter(
      ({ protocol }) => flags['all'] === true || ['tcp', 'udp', 'udplite', 'sctp'].includes(protocol),
    );
    io.out(
      table(
        io,
        ['PROTO', 'ADDRESS', 'SCOPE', 'HELD BY', 'USER', 'UNIT', 'PACKAGE', 'PROCESS'],
        shown.map((listener) => {
          const [first] = listener.processes;
          const address =
            listener.address.includes(':') && listener.port !== null
              ? `[${listener.address}]`
              : listener.address;
          const more = listener.processes.length > 1 ? ` (+${listener.processes.length - 1})` : '';
          return [
            listener.protocol,
            listener.port === null ? address : `${address}:${listener.port}`,
            listener.netns.own
              ? listener.scope
              : `${listener.scope} (${listener.netns.name ?? `net:${listener.netns.inode ?? '?'}`})`,
            listener.holder === 'kernel' ? `kernel: ${listener.kernelService ?? '?'}` : listener.holder,
            first?.user ?? (listener.uid === null ? '-' : `uid ${listener.uid}`),
            first?.unit ?? listener.socketUnit ?? '-',
            first?.package ?? '-',
            first === undefined
              ? '-'
              : `${first.exe ?? '?'}${first.deleted ? ' (deleted)' : ''} [${first.pid}]${more}`,
          ];
        }),
      ),
    );
    for (const gap of couldNotLook) io.err(`could not look: ${gap.what}: ${gap.why}. ${gap.remedy}\n`);
    return Exit.done;
  },
};
