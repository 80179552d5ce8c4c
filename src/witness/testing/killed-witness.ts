import { createInterface } from 'node:readline';
import { systemClock } from '#base/clock';
import { ownLog } from '#base/own-log';
import { parseVkey } from '#vault/checkpoint';
import { loadWitnessSigner } from '../create.ts';
import { knownLogs } from '../known-logs.ts';
import { witnessLayout } from '../layout.ts';
import { parseSubmission } from '../submission.ts';
import { openWitness } from '../witness.ts';

/**
 * A process to be killed: each line of its input is a submission in base64, each line of its output a size it cosigned.
 * With a number as third argument it kills itself at that one of the steps that change something on disk.
 */
const [, , root = '', vkey = '', fatal = ''] = process.argv;
let steps = 0;
const layout = witnessLayout(root);
const witness = await openWitness({
  layout,
  signer: loadWitnessSigner(layout, layout.key),
  logs: knownLogs([parseVkey(vkey)]),
  clock: systemClock(),
  log: ownLog('killed-witness'),
  fail: () => process.exit(1),
  step() {
    if (fatal !== '' && steps++ === Number(fatal)) process.kill(process.pid, 'SIGKILL');
  },
});
for await (const line of createInterface({ input: process.stdin })) {
  const submission = parseSubmission(Buffer.from(line, 'base64'));
  const { outcome } = await witness.consider(submission);
  process.stdout.write(outcome === 'cosigned' ? `${submission.head.size}\n` : `${outcome}\n`);
}
