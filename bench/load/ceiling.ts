import { join } from 'node:path';
import type { TlsFiles } from '#wire/listen';
import type { Corpus } from '../corpus/corpus.ts';
import { startProcess } from '../run/process.ts';
import { connectSender, type Transport } from './sending.ts';
import type { SinkOrder } from './sink.ts';

/** Lines a second that the sender comes to against a process that reads and drops: no receiver can take more from it. */
export const ceiling = async (corpus: Corpus, transport: Transport, tls: TlsFiles): Promise<number> => {
  const order: SinkOrder = { transport, key: tls.key, certificate: tls.certificate };
  const sink = startProcess({
    name: 'sink',
    file: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'sink.ts'),
      JSON.stringify(order),
    ],
    output: 'stdout',
  });
  const { sink: port }: { sink: number } = JSON.parse(await sink.said('sink'));
  const sender = await connectSender(corpus, port, transport);
  const { started, closed } = await sender.go();
  await sender.end();
  await sink.stop(5000);
  return (corpus.lines / (Number(closed) - Number(started))) * 1e9;
};
