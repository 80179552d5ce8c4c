import { collectDoors } from './doors.ts';

/** Prints the doors of the host that it runs on as JSON, for tests that make one out of namespaces. */
process.stdout.write(`${JSON.stringify(await collectDoors())}\n`);
