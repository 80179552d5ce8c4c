/*
 * Runs inside the sandbox of a unit and tries things: one JSON argument, [[action, target], …]; prints one JSON array of
 * 'yes' or the code of the error. Plain JavaScript without imports of the project's: a sandbox may hide all of that.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const settled = (emitter, event, close) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'NOANSWER' })), 3000);
    emitter.on('error', reject);
    emitter.on(event, () => {
      clearTimeout(timer);
      close();
      resolve();
    });
  });

const actions = {
  read: (path) => {
    if (statSync(path).isDirectory()) return void readdirSync(path);
    const file = openSync(path, 'r');
    readSync(file, Buffer.alloc(1));
    closeSync(file);
  },
  write: (directory) => {
    const file = `${directory}/planted`;
    writeFileSync(file, '');
    rmSync(file);
  },
  'connect to': (target) => {
    const [host, port] = target.startsWith('/') ? [] : target.split(':');
    const socket = host === undefined ? connect(target) : connect(Number(port), host);
    return settled(socket, 'connect', () => socket.destroy());
  },
  'send a datagram to': async (target) => {
    const [host, port] = target.split(':');
    const socket = createSocket('udp4');
    try {
      await new Promise((resolve, reject) => {
        socket.on('error', reject);
        socket.send('x', Number(port), host, (error) => (error ? reject(error) : resolve()));
      });
    } finally {
      socket.close();
    }
  },
  'listen on': (host) => {
    const server = createServer();
    server.listen(0, host);
    return settled(server, 'listening', () => server.close());
  },
  'see process': (pid) => void readFileSync(`/proc/${pid}/cmdline`),
  'run a file from': (directory) => {
    const file = `${directory}/planted`;
    copyFileSync('/usr/bin/true', file);
    chmodSync(file, 0o755);
    try {
      execFileSync(file);
    } finally {
      rmSync(file);
    }
  },
  become: (uid) => process.setuid(Number(uid)),
};

const results = [];
for (const [action, target] of JSON.parse(process.argv[2])) {
  try {
    await actions[action](target);
    results.push('yes');
  } catch (error) {
    results.push(error.code ?? String(error));
  }
}
console.log(`probe ${JSON.stringify(results)}`);
// A connection that nobody answers would keep it.
process.exit(0);
