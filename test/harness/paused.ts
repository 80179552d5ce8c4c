import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * For `node --import`: loads what the process will need (HOLDFAST_TEST_LOAD, paths between colons), makes the thread
 * that does its system calls on files, and waits until HOLDFAST_TEST_GO is there. A tracer that comes in between sees
 * the calls of the program, and none of Node's own loading.
 */
for (const path of (process.env['HOLDFAST_TEST_LOAD'] ?? '').split(':').filter(Boolean)) await import(path);
await readFile('/dev/null');
while (!existsSync(process.env['HOLDFAST_TEST_GO'] ?? '/')) await sleep(5);
