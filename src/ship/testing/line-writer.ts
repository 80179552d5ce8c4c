import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Place } from './place.ts';

/** Appends numbered lines, opening the file by name for each few, as fast as every 2 ms. */
export const writer = (at: Place, path: string, flags: 'reopen' | 'keep'): ChildProcess => {
  const program = `
    const fs = require('node:fs');
    const [path, flags] = process.argv.slice(1);
    let n = 0, fd = fs.openSync(path, 'a');
    process.on('message', () => { clearInterval(timer); process.send(n); });
    const timer = setInterval(() => {
      if (flags === 'reopen') { fs.closeSync(fd); fd = fs.openSync(path, 'a'); }
      for (let i = 0; i < 5; i++) fs.writeSync(fd, 'line ' + n++ + '\\n');
      const text = 'split line ' + n++ + '\\n';
      fs.writeSync(fd, text.slice(0, 4)); fs.writeSync(fd, text.slice(4));
    }, 2);`;
  const child = spawn(process.execPath, ['-e', program, path, flags], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  at.after(() => child.kill('SIGKILL'));
  return child;
};

/** @returns how many lines it has written */
export const finish = async (child: ChildProcess): Promise<number> => {
  child.send('stop');
  const [count] = await once(child, 'message');
  child.disconnect();
  return Number(count);
};
