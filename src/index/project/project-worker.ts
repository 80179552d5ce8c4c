import { parentPort } from 'node:worker_threads';
import { micros, type Micros } from '#base/clock';
import { letGo } from '#base/let-go';
import { tellsOfLoss } from '../ledger-lines.ts';
import { machineZone } from '../parse/timestamp.ts';
import { lines } from '../schema.ts';
import { Senders } from '../senders.ts';
import { LinesBlock } from './native/block.ts';
import { projectBatch } from './project.ts';
import type { ProjectAnswer, ProjectRequest } from './projecting.ts';

/** The thread of projecting.ts: batches come in one after the other, and what is made of them goes out as one block. */
const block = new LinesBlock('shared');
const senders = new Senders(Infinity);
let ledger = 0;
let received: Micros = micros(0);

const begin = (): void => {
  block.clear();
  senders.clear();
  ledger = 0;
  received = micros(0);
};

const notPlain = (): never => {
  throw new Error('lines that have numbers or keys are no work for this thread');
};

const answer = (said: ProjectAnswer): void => parentPort?.postMessage(said, []);

const handle = async (request: ProjectRequest): Promise<void> => {
  if (request.kind === 'begin') return begin();
  if (request.kind === 'finish') {
    const bytes = block.rows === 0 ? [] : block.encoded(lines);
    return answer({
      kind: 'finished',
      rows: block.rows,
      received,
      bytes,
      senders: [...senders.all()],
      ledger,
    });
  }
  const { entry, committed, records, offsets } = request;
  const batch = {
    committed,
    records: Buffer.from(records.buffer, records.byteOffset, records.length),
    offsets,
  };
  const projected = await projectBatch(block, entry, batch, {
    local: machineZone,
    only: 'plain',
    admit: notPlain,
    admitKey: notPlain,
    witness(time, host, app, by, fields) {
      senders.add(time, host, app, by);
      if (tellsOfLoss(by, fields)) ledger += 1;
    },
  });
  received = micros(Math.max(received, projected.received));
  letGo(records);
  return answer({ kind: 'projected' });
};

let handled: Promise<void> = Promise.resolve();
// One by one: a batch is projected in several turns.
parentPort?.on('message', (request: ProjectRequest) => {
  handled = handled.then(() => handle(request));
});
