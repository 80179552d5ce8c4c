import { printable } from '#base/printable';
import {
  CliError,
  Exit,
  jsonLine,
  keptUses,
  text,
  texts,
  wrap,
  type Command,
  type Flags,
  type Io,
} from '#cli';
import { openRecording } from '#cli/say';
import type { DoorLadder } from '#advise';
import type { FixStep, Plan } from '#fix';
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
  async run(context, args, flags) {
    const { io, json, state } = context;
    const wanted = args[0] ?? '';
    const wish = wishOf(flags);
    const [{ makePlan, diffOf, costsOf, checkCandidate, overridden, FixError }, { doorLadder }] =
      await Promise.all([import('#fix'), import('#advise')]);
    const watchMs = secondsOf(flags, 'watch', 3) * 1000;
    const recording = openRecording(context, 'plan');
    try {
      const { plan, choice } = await makePlan({
        wanted,
        watchMs,
        ...wish,
        noted: (await keptUses(state)).book,
      });
      const ladder = doorLadder(choice.door.known, await costsOf(choice, plan));
      const diffs = plan.edits.map(diffOf);
      const noes = await Promise.all(
        plan.checks.map(async (check) => checkCandidate(plan.edits, check, plan.unit)),
      );
      const over = overridden(plan);
      await recording.say({
        wanted,
        step: plan.step,
        outcome: 'made',
        unit: plan.unit,
        service: plan.service,
        files: plan.edits.map(({ path }) => path),
        commands: plan.apply.map((argv) => argv.join(' ')),
        risks: plan.risks.map(({ name }) => name).join(' '),
        recommended: ladder.recommended,
      });
      if (json)
        io.out(
          jsonLine({ ...plan, diffs, ladder, checkFailures: [...noes, over].filter((no) => no !== null) }),
        );
      else
        io.out(
          renderPlan(io, plan, {
            diffs,
            noes,
            over,
            ladder,
            again: sameAgain(wanted, plan.step, flags),
          }),
        );
      return Exit.done;
    } catch (error) {
      if (!(error instanceof FixError)) throw error;
      await recording.say({ wanted, step: wish.step, outcome: 'none', why: error.message });
      throw new CliError(
        error.code === 'no-such-door' || error.code === 'ambiguous-door' ? 'usage' : 'could-not-look',
        error.message,
        { cause: error },
      );
    } finally {
      recording.close();
    }
  },
};

/** The arguments that make a fix do what was planned. */
const sameAgain = (door: string, step: FixStep, flags: Flags): string =>
  [
    door,
    ...(step === 'local only' ? [] : [`--step ${text(flags, 'step') ?? ''}`]),
    ...(texts(flags, 'allow') ?? []).map((network) => `--allow ${network}`),
  ].join(' ');

type Shown = {
  diffs: readonly string[];
  /** Of each check: why it says no, or `null`. */
  noes: readonly (string | null)[];
  /** Why the change would have no effect, or `null`. */
  over: string | null;
  ladder: DoorLadder;
  /** The arguments of the fix that was planned. */
  again: string;
};

const renderPlan = (io: Io, plan: Plan, { diffs, noes, over, ladder, again }: Shown): string => {
  const heading = (title: string): string => `\n${io.paint('bold', title)}\n`;
  const line = (sentence: string): string => wrap(printable(sentence), io.width, '    ', '  ');
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
    ...plan.checks.map(({ kind, argv }, n) =>
      line(
        `${argv.join(' ')}${kind === 'trial' ? ', started in a namespace of its own' : ''}: ${noes[n] ?? 'passes'}`,
      ),
    ),
    ...(plan.effective === null
      ? []
      : [
          line(
            `${plan.effective.command}: ${plan.effective.before ?? 'unset'} → ${plan.effective.after ?? 'unknown'}`,
          ),
        ]),
    ...(over === null ? [] : [line(over)]),
    heading('THEN'),
    ...plan.apply.map((argv) => line(argv.join(' '))),
    heading('RISKS'),
    ...(plan.risks.length === 0 ? [line('none that is known')] : []),
    ...plan.risks.map(({ name, why, mustAccept }) =>
      line(`${name}${mustAccept ? `, to be accepted with --accept ${name}` : ''}: ${why}`),
    ),
    ...plan.cautions.map(line),
    `\nNothing was changed. To do it: holdfast services fix ${again}\n`,
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
const useLines = ({ use: { clients, milliseconds, overUdp } }: Plan): string[] => [
  ...clients.map(({ local, program, unit, from, to }) =>
    local
      ? `${program ?? 'a process'} of ${unit ?? 'no unit'}, on this host, by ${to}`
      : `${from}, another host, by ${to}`,
  ),
  `${clients.length === 0 ? 'Nobody was seen' : 'Seen'} within ${Math.round(milliseconds / 1000)} s; who comes more rarely is not in here (--watch)`,
  ...(overUdp === null ? [] : [`${overUdp[0]?.toUpperCase()}${overUdp.slice(1)}`]),
];
