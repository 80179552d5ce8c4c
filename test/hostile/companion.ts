import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';

/**
 * A well-behaved sender in a thread of its own: one RELP message at a time, and how long each took from its write to the
 * answer, which comes when it is durable. Any message to it makes it say what it saw, and begin anew.
 */
const { port, host, from } = z
  .object({ port: z.number(), host: z.string(), from: z.string() })
  .parse(workerData);

const everyMs = 10;
let txnr = 1;
let sentAt = 0;
let waits: number[] = [];
let heard = '';

const socket = connect({ port, host, localAddress: from });
socket.setNoDelay(true);
const send = (command: string, data: string): void => {
  sentAt = performance.now();
  socket.write(`${txnr} ${command} ${data.length} ${data}\n`);
};
socket.on('connect', () => send('open', 'relp_version=0\nrelp_software=companion\ncommands=syslog'));
socket.on('data', (chunk: Buffer) => {
  heard += chunk.toString('latin1');
  // The offers of `open` have line feeds of their own, and end with one after them.
  if (!heard.startsWith(`${txnr} rsp `) || !heard.endsWith('\n')) return;
  heard = '';
  if (txnr > 1) waits.push(performance.now() - sentAt);
  else parentPort?.postMessage('ready', []);
  txnr += 1;
  setTimeout(() => send('syslog', `<13>companion ${txnr}`), everyMs);
});
socket.on('close', () => parentPort?.postMessage('closed', []));
socket.on('error', () => undefined);

parentPort?.on('message', () => {
  // One that still waits counts with what it has waited so far.
  parentPort?.postMessage({ waits: [...waits, performance.now() - sentAt], sent: txnr - 2 }, []);
  waits = [];
});
