import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from '../corpus/corpus.ts';
import { startProcess, type Process } from '../run/process.ts';

/** What several senders together have sent; times are CLOCK_MONOTONIC in seconds. */
export type SentDatagrams = { datagrams: number; bytes: number; seconds: number };

/** Senders that have connected and wait: processes of their own, whose CPU time counts for nobody. */
export type DatagramLoad = {
  go(): Promise<SentDatagrams>;
  end(): Promise<void>;
};

type Sent = { datagrams: number; bytes: number; started: string; ended: string };

/** Of all senders together: how often one sends what is due. */
const turnMicros = 250;

/**
 * The first `lines` of the corpus, dealt out in runs to `senders` processes with a socket each.
 * @param rate datagrams a second of all together, evenly paced; 0 = as fast as the kernel takes them
 * @throws BenchError `failed`
 */
export const connectDatagrams = async (
  corpus: Corpus,
  port: number,
  senders: number,
  rate: number,
  lines: number,
): Promise<DatagramLoad> => {
  const shares = Array.from(
    { length: senders },
    (_, i) => Math.floor(((i + 1) * lines) / senders) - Math.floor((i * lines) / senders),
  );
  const offsets = lineOffsets(corpus, shares);
  const children = shares.map((share, i) =>
    startProcess({
      name: 'datagram sender',
      file: 'perl',
      args: [
        join(import.meta.dirname, 'datagrams.pl'),
        ...[port, rate / senders].map(String),
        corpus.path,
        ...[offsets[i] ?? 0, share, turnMicros * senders].map(String),
      ],
      output: 'stdout',
    }),
  );
  await Promise.all(children.map((child) => child.said('connected')));
  return {
    async go() {
      for (const child of children) child.input('go\n');
      const all = await Promise.all(children.map(sentBy));
      const first = Math.min(...all.map(({ started }) => Number(started)));
      const last = Math.max(...all.map(({ ended }) => Number(ended)));
      return {
        datagrams: all.reduce((sum, { datagrams }) => sum + datagrams, 0),
        bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
        seconds: (last - first) / 1e9,
      };
    },
    end: async () => void (await Promise.all(children.map((child) => child.stop(5000)))),
  };
};

const sentBy = async (child: Process): Promise<Sent> => {
  const { sent }: { sent: Sent } = JSON.parse(await child.said('sent'));
  return sent;
};

/** At which byte of the corpus each share begins. */
const lineOffsets = (corpus: Corpus, shares: readonly number[]): number[] => {
  const file = openSync(corpus.path, 'r');
  const block = Buffer.allocUnsafe(1 << 20);
  const starts: number[] = [];
  let toGo = 0;
  let offset = 0;
  for (let read = readSync(file, block); read > 0 && starts.length < shares.length;) {
    let at = 0;
    for (;;) {
      if (toGo === 0) {
        if (starts.length === shares.length) break;
        toGo = shares[starts.push(offset + at) - 1] ?? 0;
        continue;
      }
      const end = block.subarray(0, read).indexOf(0x0a, at);
      if (end < 0) break;
      at = end + 1;
      toGo -= 1;
    }
    offset += read;
    read = readSync(file, block);
  }
  closeSync(file);
  return starts;
};
