import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemCode } from '#base/errors';
import { ArrivalError } from './errors.ts';
import { countersIn, countRules, rulesetFor, type Counted } from './ruleset.ts';

export type Counting = {
  /** @throws ArrivalError `failed` */
  read(): Promise<Counted[]>;
  /** Takes the table away. */
  stop(): Promise<void>;
};

const madeWithinMs = 5000;

/**
 * Counts the datagrams with a token that come in for each port.
 * @param token as `makeToken` makes it
 * @throws ArrivalError
 */
export const countArrivals = async (token: string, ports: readonly number[]): Promise<Counting> => {
  const table = `holdfast_probe_${randomBytes(4).toString('hex')}`;
  // Interactive, it lives until its standard input ends; that is also where this process does.
  const nft = spawn('nft', ['-i'], { stdio: ['pipe', 'ignore', 'pipe'], env });
  let complaint = '';
  nft.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaint = `${complaint}${text}`.slice(0, 1000)));
  const exited = new Promise<Error | null>((resolve) => {
    nft.on('error', resolve);
    nft.on('close', () => resolve(null));
  });
  nft.stdin.on('error', () => undefined);
  const commands = rulesetFor(table, token, ports);
  nft.stdin.write(`${commands.join('\n')}\n`);
  const stop = async (): Promise<void> => {
    nft.stdin.end();
    await exited;
  };
  const wanted = commands.filter((command) => command.startsWith('add rule')).length;
  for (let waited = 0; waited < madeWithinMs; waited += 50) {
    if (complaint !== '') break;
    const over = await Promise.race([exited, sleep(50, 'runs' as const)]);
    if (over instanceof Error) throw noNft(over);
    if (over === null) break;
    const listing = await list(table).catch(() => null);
    if (listing !== null && countRules(listing) === wanted)
      return { read: async () => countersIn(await list(table), ports), stop };
  }
  await stop();
  throw refusal(complaint);
};

const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

const list = async (table: string): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile('nft', ['list', 'table', 'inet', table], { env, timeout: 10_000 }, (error, stdout) =>
      error === null
        ? resolve(stdout)
        : reject(
            new ArrivalError('failed', `nft cannot list its counters: ${messageOf(error)}`, { cause: error }),
          ),
    );
  });

const noNft = (cause: Error): ArrivalError =>
  systemCode(cause) === 'ENOENT'
    ? new ArrivalError('no-nft', 'arrivals are counted by nft, which is not here: apt-get install nftables', {
        cause,
      })
    : new ArrivalError('failed', `nft cannot be started: ${messageOf(cause)}`, { cause });

const refusal = (complaint: string): ArrivalError =>
  /permitted|permission/i.test(complaint)
    ? new ArrivalError('not-allowed', 'arrivals are counted by nft, which takes root (CAP_NET_ADMIN)')
    : new ArrivalError('failed', `nft made no counters: ${complaint.trim().split('\n')[0] ?? ''}`);
