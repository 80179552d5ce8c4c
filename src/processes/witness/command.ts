import { CliError, text, texts, type Command } from '#cli';
import type { Act } from './unprivileged.ts';

export const witness: Command = {
  name: 'witness',
  summary:
    'remember what logs have signed, and cosign only what continues it; on another host than the log’s',
  arguments: '[show]',
  flags: [
    { flags: '--init', description: 'make the witness, or make a --log known to it; print its key, and end' },
    { flags: '--name <name>', description: 'name of a new witness, such as witness.example/w1' },
    {
      flags: '--key-file <file>',
      description: 'its private key (default: witness/witness.key of the state directory)',
    },
    {
      flags: '--log <vkey[=url]>',
      description:
        'public key of a log, or a file that holds it; with =URL or =unix:SOCKET its publisher is asked. Repeat it for more',
      repeats: true,
    },
    { flags: '--listen <host:port>', description: 'take checkpoints that logs bring (add-checkpoint)' },
    { flags: '--every <seconds>', description: 'how often publishers are asked', default: '60' },
    {
      flags: '--resume <origin>',
      description: 'cosign again for a log that contradicted itself, after you have looked; and end',
    },
  ],
  examples: [
    'holdfast witness --init --name witness.example/w1 --log keys/vault.vkey',
    'holdfast witness --log keys/vault.vkey --listen 127.0.0.1:0',
    'holdfast witness --log keys/vault.vkey=unix:run/publisher/publish.sock',
    'holdfast witness show',
    'holdfast witness show --json',
  ],
  async run(context, args, flags) {
    // Loaded only here, so that every other command starts without it.
    const { initWitness, resumeLog, runWitness, showWitness } = await import('./run.ts');
    const { becomeWitness } = await import('./unprivileged.ts');
    const [action, ...more] = args;
    if (more.length > 0 || (action !== undefined && action !== 'show'))
      throw new CliError('usage', `unknown word '${[...args].join(' ')}' after witness: there is only show`);
    const given = {
      state: context.state,
      keyFile: text(flags, 'keyFile'),
      name: text(flags, 'name'),
      logs: texts(flags, 'log') ?? [],
      listen: text(flags, 'listen'),
      every: text(flags, 'every') ?? '60',
    };
    const origin = text(flags, 'resume');
    const act: Act =
      action === 'show' ? 'show' : flags['init'] === true ? 'init' : origin === undefined ? 'run' : 'resume';
    if (process.getuid?.() === 0)
      becomeWitness(given, { act, origin, output: context.json ? 'json' : 'text' });
    switch (act) {
      case 'show':
        return showWitness(context, given);
      case 'init':
        return initWitness(context, given);
      case 'resume':
        return resumeLog(context, given, origin ?? '');
      case 'run':
        return runWitness(context, given);
    }
  },
};
