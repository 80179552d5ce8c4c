import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { CliError } from '#cli';
import type { Counted } from '#probe/arrival';
import { listenerWord } from './listen.ts';
import { argumentsThere } from './through.ts';

/** Counting on the host that is probed. */
export type ListenerThere = {
  /** Ends it. @returns what it counted. @throws CliError `could-not-look` */
  end(): Promise<Counted[]>;
};

/** The host gives up by itself after this. */
const longestSeconds = 300;

/**
 * Has the host count, through the operator's command.
 * @returns when it counts
 * @throws CliError `could-not-look`
 */
export const listenThere = async (
  through: string,
  token: string,
  ports: readonly number[],
): Promise<ListenerThere> => {
  const doors = ports.map((port) => `udp/${port}`).join(',');
  const [file, args] = argumentsThere(
    through,
    `holdfast services probe --listen-for ${token} --ports ${doors} --for ${longestSeconds} --json`,
  );
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(0, 2000);
  });
  child.on('error', (error) => (complaint += error.message));
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]();
  const closed = once(child, 'close').catch(() => undefined);
  const next = async (): Promise<ReturnType<typeof listenerWord.parse>> => {
    const { value, done } = await lines.next();
    if (done !== true) return listenerWord.parse(JSON.parse(value));
    await closed;
    throw new CliError('could-not-look', `'${through}' counted nothing: ${complaint.trim()}`);
  };
  await next();
  return {
    async end() {
      child.stdin.end();
      const word = await next();
      await closed;
      return 'arrivals' in word ? word.arrivals : [];
    },
  };
};
