import type { Command } from '#cli';
import { defaults } from './defaults.ts';

export const up: Command = {
  name: 'up',
  summary: 'run everything on this machine: receiver, keeper, indexer, console and a local agent',
  flags: [
    {
      flags: '--listen <kind=host:port>',
      description: `where the receiver listens; repeat it for more (default: ${defaults.listen.join(' ')})`,
      repeats: true,
    },
    {
      flags: '--console <host:port>',
      description: `where the console listens (default: ${defaults.console})`,
    },
    { flags: '--no-agent', description: 'do not read this host’s own logs' },
    {
      flags: '--config <file>',
      description: 'a TOML file with the keys listen, console, agent; flags win over it',
    },
  ],
  examples: [
    'holdfast up',
    'holdfast up --listen syslog-tcp=127.0.0.1:5514 --listen syslog-udp=127.0.0.1:5514 --console 127.0.0.1:8600',
    'holdfast up --state ~/holdfast-state --listen syslog-tcp=127.0.0.1:0 --console 127.0.0.1:0 --no-agent',
  ],
  async run(context, _args, flags) {
    // Loaded only here, so that every other command starts without it.
    const { runUp } = await import('./run.ts');
    return runUp(context, flags);
  },
};
