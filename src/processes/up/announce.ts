import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import type { Io } from '#cli';
import { defaultStateRoot, type StateDirectory } from '#base/state';
import type { Up } from './supervisor.ts';

/** What `holdfast up` prints once everything serves: what runs where, the console's link, something to try. */
export const announce = (
  io: Io,
  root: string,
  state: StateDirectory,
  { ready, consoleLink, notes: downAndGaps }: Up,
  uid: number,
): string => {
  const line = (name: string, what: string): string => {
    const child = ready.processes[name];
    if (child === undefined) return '';
    return `  ${name.padEnd(9)} ${io.paint('dim', `pid ${String(child.pid).padEnd(7)} uid ${String(child.uid).padEnd(6)}`)} ${what}\n`;
  };
  const notes = [
    ...downAndGaps,
    ...openToOthers(ready.publisher),
    ...(uid === 0
      ? []
      : ['without root every process runs as you, and logs and sockets of other users may not be seen']),
  ];
  const listeners = Object.entries(ready.receiver).map(([name, address]) => `${name} ${address}`);
  return [
    `${io.paint('bold', 'Holdfast is running')} on ${state.root}\n`,
    line('receiver', `takes syslog: ${listeners.join(', ')}`),
    line('keeper', 'makes it provable'),
    line('indexer', 'makes it searchable'),
    line(
      'publisher',
      ready.publisher === null
        ? 'lets witnesses on this machine check it'
        : `lets witnesses check it: http://${ready.publisher}`,
    ),
    line('courier', 'brings alerts to people, and checkpoints to witnesses and time stamping authorities'),
    line('issuer', 'gives hosts their certificates: holdfast hosts token NAME'),
    line('agent', 'sends this host’s own logs'),
    line('console', `${ready.console}`),
    ...notes.map((note) => `  ${io.paint('yellow', `note: ${note}`)}\n`),
    ...(consoleLink === null
      ? []
      : [
          `\n${io.paint('bold', 'Console:')} ${io.paint('cyan', consoleLink)}\n`,
          `${io.paint('dim', '         (whoever has the link reads the log; it is new at each start)')}\n`,
        ]),
    tryIt(ready.receiver, `${programName(root, process.env)} logs search${stateFlag(state, uid)} hello`),
  ].join('');
};

/** That it can be reached from elsewhere is the operator's wish; what that shows is said once more. */
const openToOthers = (publisher: string | null): string[] => {
  if (publisher === null || /^(127\.|\[::1\])/.test(publisher)) return [];
  return [
    `whoever reaches ${publisher} can fetch checkpoints, hashes and entries (when and how much was logged, who approved what), as --publish asks; never a line`,
  ];
};

/** A line to send and to find again; nothing where no syslog listener is on. */
const tryIt = (receiver: Readonly<Record<string, string>>, find: string): string => {
  const address = receiver['syslogUdp'];
  const port = address?.split(':').at(-1);
  return address === undefined
    ? ''
    : `Try it:  logger --udp --server ${address.slice(0, -`:${port}`.length)} --port ${port} hello; sleep 2; ${find}\n`;
};

/** ` --state DIR` where commands would not find this state directory by themselves. */
export const stateFlag = (state: StateDirectory, uid: number): string =>
  state.root === defaultStateRoot(process.env, uid) ? '' : ` --state ${state.root}`;

/** `holdfast` where the path leads to this clone; else the program's path, as short as can be from here. */
export const programName = (root: string, env: NodeJS.ProcessEnv): string => {
  const program = join(root, 'bin', 'holdfast');
  const found = (env['PATH'] ?? '')
    .split(delimiter)
    .find((directory) => isExecutable(join(directory, 'holdfast')));
  if (found !== undefined && realpathSync(join(found, 'holdfast')) === realpathSync(program))
    return 'holdfast';
  const here = process.cwd();
  const fromHere = relative(here, program);
  // Who reads what a service says stands elsewhere.
  return here === '/' || fromHere.startsWith('..') ? program : fromHere;
};

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
