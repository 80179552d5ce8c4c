import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { commands, Exit, processIo, runProgram } from '#cli';

/** The command line. */
const root = join(import.meta.dirname, '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What is served, or changed on a host, is not broken off because nobody reads of it. */
const goesOn = /^(?:up|agent|witness|services fix|services undo)\b/.test(process.argv.slice(2, 4).join(' '));
let isTold = false;

process.stdout.on('error', (error) => {
  // A reader that goes away (`| head`) is no fault of ours.
  const isAway = systemCode(error) === 'EPIPE';
  if (!isAway && !isTold)
    process.stderr.write(
      `holdfast: what was found could not be written, and what was written of it is not whole: ${messageOf(error)}\n`,
    );
  isTold = true;
  if (!goesOn) process.exit(isAway ? Exit.done : Exit.couldNotLook);
});
// Nobody is left to tell.
process.stderr.on('error', () => undefined);

process.exitCode = await runProgram(
  process.argv.slice(2),
  {
    up: async () => (await import('./up/command.ts')).up,
    agent: async () => (await import('./agent-host/command.ts')).agent,
    witness: async () => (await import('./witness/command.ts')).witness,
    'config check': async () => (await import('./up/check-command.ts')).configCheck,
    ...commands,
    'services plan': async () => (await import('./fixer/plan-command.ts')).servicesPlan,
    'services fix': async () => (await import('./fixer/fix-command.ts')).servicesFix,
    'services undo': async () => (await import('./fixer/undo-command.ts')).servicesUndo,
    'services probe': async () => (await import('./probe/command.ts')).servicesProbe,
  },
  processIo(),
  String(version),
);
