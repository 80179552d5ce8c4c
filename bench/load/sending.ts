import { join } from 'node:path';
import { BenchError } from '../errors.ts';
import type { Corpus } from '../corpus/corpus.ts';
import { startProcess } from '../run/process.ts';
import type { Order, Sent, Transport } from './sender.ts';

export type { Transport } from './sender.ts';

export const connections = 4;

/** A sender that has connected and waits. Its CPU time is not part of any figure. */
export type Sending = {
  /** Sends everything. @returns once all connections have been closed by the receiver as well */
  go(): Promise<Sent>;
  /** Ends the process. */
  end(): Promise<void>;
};

/** @throws BenchError `failed` if it cannot connect to 127.0.0.1:`port`, or loses a connection on the way */
export const connectSender = async (
  corpus: Corpus,
  port: number,
  transport: Transport = { kind: 'tcp' },
): Promise<Sending> => {
  const order: Order = { path: corpus.path, port, connections, transport };
  const child = startProcess({
    name: 'sender',
    file: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'sender.ts'),
      JSON.stringify(order),
    ],
    output: 'stdout',
  });
  await child.said('connected');
  return {
    async go() {
      child.input('go\n');
      const { sent } = JSON.parse(await child.said('sent')) as { sent: Sent };
      if (sent.bytes !== corpus.bytes)
        throw new BenchError(
          'failed',
          `the sender sent ${sent.bytes} of ${corpus.bytes} bytes of ${corpus.path}`,
        );
      return sent;
    },
    end: () => child.stop(5000),
  };
};
