import { resolve } from 'node:path';
import { Command as Commander, CommanderError } from 'commander';
import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import { defaultStateRoot, stateDirectory } from '#base/state';
import type { Command, Commands, Context } from './command.ts';
import { CliError } from './errors.ts';
import { Exit } from './exit.ts';
import type { Io } from './io.ts';

/** Noun, then verb. A noun alone prints its help. */
const nouns: Readonly<Record<string, string>> = {
  logs: 'read the log',
  alerts: 'what Holdfast tells people of by itself',
  vault: 'evidence: check it, prove it',
  hosts: 'who sends here, and how',
  services: 'every way a stranger can send bytes to this host',
  patches: 'what is pending, and why',
  isolation: 'what falls when one service falls',
  config: 'what Holdfast is told at its start',
  index: 'the search index, which can always be made again',
};

/**
 * Parses a command line and runs the command that it names.
 * @param argv without node and script
 * @returns the exit status
 */
export const runProgram = async (
  argv: readonly string[],
  commands: Commands,
  io: Io,
  version: string,
): Promise<Exit> => {
  let status: Exit = Exit.done;
  const program = new Commander('holdfast')
    .description('Keeps Linux hosts defensible, and can prove what it says.')
    .version(version)
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride()
    .showHelpAfterError('(add --help for help)');
  program.addHelpText(
    'after',
    examplesText([
      'holdfast up',
      'holdfast audit',
      "holdfast logs search 'sshd failed since:1h'",
      'holdfast vault verify',
    ]),
  );
  const loaded = await Promise.all(meant(argv, commands).map((load) => load()));
  const groups = new Map<string, Commander>();
  for (const [noun, summary] of Object.entries(nouns)) {
    const group = program
      .command(noun)
      .description(summary)
      .exitOverride()
      .configureOutput({ writeOut: io.out, writeErr: io.err });
    // What stands after a noun and is no verb of it is told apart here, by name, and not as one argument too many.
    group.allowExcessArguments().allowUnknownOption();
    group.action(() => {
      const [word] = group.args;
      if (word === undefined) return group.outputHelp();
      const verbs = group.commands.map((verb) => verb.name()).join(', ');
      throw new CliError(
        'usage',
        word.startsWith('-')
          ? `unknown option '${word}': options stand after the command; there are: ${verbs}`
          : `unknown command '${word}'; there are: ${verbs}`,
      );
    });
    const verbs = loaded.filter(({ name }) => name.startsWith(`${noun} `));
    group.addHelpText('after', examplesText(verbs.flatMap(({ examples }) => examples.slice(0, 2))));
    groups.set(noun, group);
  }
  for (const command of loaded) {
    const words = command.name.split(' ');
    const parent = words.length === 2 ? groups.get(words[0] ?? '') : program;
    if (parent === undefined) throw new Error(`no noun for the command '${command.name}'`);
    const sub = parent
      .command(`${words.at(-1)}${command.arguments === undefined ? '' : ` ${command.arguments}`}`)
      .description(command.summary);
    sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
    sub.allowExcessArguments(false);
    if (command.dashes === 'arguments') sub.allowUnknownOption();
    sub.option(
      '--state <dir>',
      'state directory; also by $HOLDFAST_STATE',
      defaultStateRoot(process.env, process.getuid?.() ?? -1),
    );
    sub.option('--json', 'print JSON');
    for (const flag of command.flags ?? []) {
      if (flag.repeats === true)
        sub.option(flag.flags, flag.description, (value: string, before: string[] | undefined) => [
          ...(before ?? []),
          value,
        ]);
      else sub.option(flag.flags, flag.description, flag.default);
    }
    sub.addHelpText('after', examplesText(command.examples));
    sub.action(async () => {
      const options = sub.opts();
      const context: Context = {
        io,
        state: stateDirectory(resolve(String(options['state']))),
        json: options['json'] === true,
      };
      status = await command.run(context, sub.args, options);
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    return explain(error, io);
  }
};

/** What the words name: one command; else all verbs of the noun, which its help lists; else what stands beside the nouns. */
const meant = (argv: readonly string[], commands: Commands): (() => Promise<Command>)[] => {
  const [noun = '', verb = ''] = argv[0] === 'help' ? argv.slice(1) : argv;
  const loaders = (isMeant: (name: string) => boolean): (() => Promise<Command>)[] =>
    Object.entries(commands).flatMap(([name, load]) => (isMeant(name) ? [load] : []));
  const one = loaders((name) => name === noun || name === `${noun} ${verb}`);
  if (one.length > 0) return one;
  const verbs = loaders((name) => name.startsWith(`${noun} `));
  return verbs.length > 0 ? verbs : loaders((name) => !name.includes(' '));
};

/** Messages may quote a query, a path, or what another process said. */
const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

const examplesText = (examples: readonly string[]): string =>
  `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n`;

/** Tells the person what went wrong; a stack trace only where HOLDFAST_DEBUG is set. */
const explain = (error: unknown, io: Io): Exit => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.done : Exit.usage;
  io.err(`holdfast: ${printableLines(messageOf(error))}\n`);
  if (process.env['HOLDFAST_DEBUG'] !== undefined && error instanceof Error)
    io.err(`${printableLines(error.stack ?? '')}\n`);
  else if (!(error instanceof CliError))
    io.err('This is a fault of Holdfast itself. Run it again with HOLDFAST_DEBUG=1 for the details.\n');
  return error instanceof CliError ? error.status : Exit.internal;
};
