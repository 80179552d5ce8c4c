import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands, processIo, runProgram } from '#cli';
import { agent } from './agent-host/command.ts';
import { servicesFix } from './fixer/fix-command.ts';
import { servicesPlan } from './fixer/plan-command.ts';
import { servicesUndo } from './fixer/undo-command.ts';
import { servicesProbe } from './probe/command.ts';
import { configCheck } from './up/check-command.ts';
import { up } from './up/command.ts';
import { witness } from './witness/command.ts';

/** The command line. */
const root = join(import.meta.dirname, '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

// A reader that goes away (`| head`) is no fault of ours.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runProgram(
  process.argv.slice(2),
  [up, agent, witness, configCheck, ...commands, servicesPlan, servicesFix, servicesUndo, servicesProbe],
  processIo(),
  String(version),
);
