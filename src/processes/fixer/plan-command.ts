import { printable } from '#base/printable';
import { CliError, Exit, jsonLine, wrap, type Command, type Io } from '#cli';
import type { DoorLadder } from '#advise';
import type { Plan } from '#fix';
import { secondsOf, stepFlags, wishOf } from './flags.ts';
import { renderDiff } from './render.ts';

export const servicesPlan: Command = {
  name: 'services plan',
  summary: 'what `services fix` would write and run for one door; changes nothing',
  arguments: '<door>',
  flags: [
    ...stepFlags,
    { flags: '--watch <time>', description: 'how long to watch who uses it', default: '3s' },
  ],
  examples: [
    'holdfast services plan 3306',
    'holdfast services plan mariadb --watch 60s',
    'holdfast services plan 3306 --step firewall --allow 10.0.0.7',
  ],
  async run({ io, json }, args, flags) {
    const [{ makePlan, diffOf, costsOf, FixError }, { doorLadder }] = await Promise.all([
      import('#fix'),
      import('#advise'),
    ]);
    const watchMs = secondsOf(flags, 'watch', 3) * 1000;
    try {
      const { plan, choice } = await makePlan({ wanted: args[0] ?? '', watchMs, ...wishOf(flags) });
      const ladder = doorLadder(choice.door.known, await costsOf(choice, plan));
      const diffs = plan.edits.map(diffOf);
      if (json) io.out(jsonLine({ ...plan, diffs, ladder }));
      else io.out(renderPlan(io, plan, diffs, ladder, args[0] ?? ''));
      return Exit.done;
    } catch (error) {
      if (!(error instanceof FixError)) throw error;
      throw new CliError(
        error.code === 'no-such-door' || error.code === 'ambiguous-door' ? 'usage' : 'could-not-look',
        error.message,
        { cause: error },
      );
    }
  },
};

const renderPlan = (
  io: Io,
  plan: Plan,
  diffs: readonly string[],
  ladder: DoorLadder,
  wanted: string,
): string => {
  const heading = (text: string): string => `\n${io.paint('bold', text)}\n`;
  const line = (text: string): string => wrap(printable(text), io.width, '    ', '  ');
  return [
    `${io.paint('bold', `${plan.service} on ${plan.title}`)}  ${io.paint('dim', plan.unit)}\n`,
    heading('WHO USES IT'),
    ...useLines(plan).map(line),
    heading('THE LADDER, and what each step would cost here'),
    ...ladder.rungs.map(({ step, cost }) => renderRung(io, step, cost, step === ladder.recommended)),
    line(`Recommended: ${ladder.recommended}. ${ladder.reason} (confidence: ${ladder.confidence})`),
    heading(`${plan.step.toUpperCase()}: WRITE`),
    ...(diffs.length === 0 ? [line('no file')] : []),
    ...diffs.map((diff) => renderDiff(io, diff)),
    ...(plan.checks.length === 0 ? [] : [heading('CHECK, on the files as they are to be')]),
    ...plan.checks.map(({ kind, argv }) =>
      line(`${argv.join(' ')}${kind === 'trial' ? '  (started in a namespace of its own)' : ''}`),
    ),
    ...(plan.effective === null
      ? []
      : [
          line(
            `${plan.effective.command}: ${plan.effective.before ?? 'unset'} → ${plan.effective.after ?? 'unknown'}`,
          ),
        ]),
    heading('THEN'),
    ...plan.apply.map((argv) => line(argv.join(' '))),
    heading('RISKS'),
    ...(plan.risks.length === 0 ? [line('none that is known')] : []),
    ...plan.risks.map(({ name, why, mustAccept }) =>
      line(`${name}${mustAccept ? `, to be accepted with --accept ${name}` : ''}: ${why}`),
    ),
    ...plan.cautions.map(line),
    `\nNothing was changed. To do it: holdfast services fix ${wanted}\n`,
  ].join('');
};

const renderRung = (io: Io, step: string, cost: string, recommended: boolean): string =>
  wrap(
    printable(cost),
    io.width,
    ' '.repeat(19),
    `  ${recommended ? io.paint('green', '→') : ' '} ${step.padEnd(15)}`,
    19,
  );

/** Who was seen, and for how long was looked. */
const useLines = ({ use: { clients, milliseconds } }: Plan): string[] => [
  ...clients.map(({ local, program, unit, from, to }) =>
    local
      ? `${program ?? 'a process'} of ${unit ?? 'no unit'}, on this host, by ${to}`
      : `${from}, another host, by ${to}`,
  ),
  `${clients.length === 0 ? 'Nobody was seen' : 'Seen'} within ${Math.round(milliseconds / 1000)} s; who comes more rarely is not in here (--watch)`,
];
