import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Answer } from './answer.ts';

/**
 * A program: `node knock.ts tcp|udp ADDRESS PORT` tries one door and prints the answer, one word (answer.ts). A datagram
 * is sent twice: the kernel tells of an ICMP error at the next call.
 */
const patienceMs = 2000;

const answerTo = (code: unknown): Answer => {
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return 'refused';
  return code === 'ETIMEDOUT' ? 'silent' : 'unreachable';
};

const codeOf = (error: Error): unknown => ('code' in error ? error.code : null);

const knockTcp = async (address: string, port: number): Promise<Answer> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port });
    socket.setTimeout(patienceMs, () => resolve('silent'));
    socket.on('connect', () => resolve('open'));
    socket.on('error', (error) => resolve(answerTo(codeOf(error))));
  });

const knockUdp = async (address: string, port: number): Promise<Answer> =>
  new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const send = (): void => socket.send('\n', (error) => error && resolve(answerTo(codeOf(error))));
    socket.on('error', (error) => resolve(answerTo(codeOf(error))));
    socket.on('message', () => resolve('open'));
    // Where there is no way to it, the callback is told, and no event says so.
    socket.connect(port, address, (error?: Error) => {
      if (error !== undefined) return resolve(answerTo(codeOf(error)));
      send();
      setTimeout(send, 200);
      setTimeout(() => resolve('silent'), patienceMs / 2);
    });
  });

const [protocol = '', address = '', port = ''] = process.argv.slice(2);
const answer = await (protocol === 'udp' ? knockUdp : knockTcp)(address, Number(port));
process.stdout.write(`${answer}\n`, () => process.exit(0));
