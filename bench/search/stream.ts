import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The process that keeps sending: `node stream.ts PORT RATE CORPUS`. Lines of the corpus that claim to be said now, RATE
 * of them a second, until its standard input ends. Says `{"streaming":true}` once it has connected.
 */
const everyMs = 20;
const sampleBytes = 4 * 1024 * 1024;

const [port = '', rate = '', corpus = ''] = process.argv.slice(2);
const file = openSync(corpus, 'r');
const sample = Buffer.alloc(sampleBytes);
const read = readSync(file, sample, 0, sample.length, 0);
closeSync(file);
/** What stands before and after the time. */
const lines = sample
  .toString('latin1', 0, read)
  .split('\n')
  .slice(0, -1)
  .map((line) => {
    const time = line.indexOf(' ') + 1;
    return [line.slice(0, time), `${line.slice(line.indexOf(' ', time))}\n`] as const;
  });

process.stdin.on('end', () => process.exit(0)).resume();
const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
await once(socket, 'connect');
process.stdout.write(`${JSON.stringify({ streaming: true })}\n`);
const started = performance.now();
for (let sent = 0; ;) {
  const due = Math.floor(((performance.now() - started) / 1000) * Number(rate));
  const now = new Date().toISOString().replace('Z', '000+00:00');
  let text = '';
  for (; sent < due; sent += 1) {
    const [before, behind] = lines[sent % lines.length] ?? ['', ''];
    text += before + now + behind;
  }
  if (!socket.write(text, 'latin1')) await once(socket, 'drain');
  await sleep(everyMs);
}
